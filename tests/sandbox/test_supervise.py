from pathlib import Path

import pytest

from assay.sandbox.supervise import Ended, supervise

SECRET = b"0123456789abcdef"


def shell(script: str, stages: tuple[float, ...] = (20.0,), stdin: bytes = b"", secret: bytes = b"") -> Ended:
    return supervise(["/bin/sh", "-c", script], stdin, "/", stages, 100, secret)


def test_a_mark_begins_a_stage_and_is_no_output() -> None:
    ended = shell("printf .; printf .; printf ..hello", (20.0, 20.0, 20.0))
    assert (ended.stage, ended.output) == (2, b"..hello")


def test_what_a_failed_launcher_says_is_no_mark() -> None:
    ended = shell("echo cannot fork; exit 2", (20.0, 20.0))
    assert (ended.stage, ended.status, ended.output) == (0, 2, b"cannot fork\n")


def test_the_limit_of_the_present_stage_counts() -> None:
    ended = shell("printf .; sleep 60", (60.0, 0.2))
    assert (ended.stage, ended.timed_out, ended.starved) == (1, True, False)


@pytest.mark.parametrize(
    "script",
    [
        "printf 0123456789abcdef",
        "printf 01234567; sleep 0.2; printf 89abcdef",
        "head -c 1000000 /dev/zero; printf 0123456789abcdef; head -c 1000000 /dev/zero",
    ],
)
def test_a_secret_is_found_wherever_it_stands_in_the_output(script: str) -> None:
    assert shell(script, secret=SECRET).told_secret


@pytest.mark.parametrize("script", ["", "printf 0123456789abcde", "printf 0123456789abcdeX; printf f"])
def test_a_part_of_a_secret_is_not_the_secret(script: str) -> None:
    assert not shell(script, secret=SECRET).told_secret


def test_standard_input_arrives_whole_and_who_does_not_read_it_is_not_held_up() -> None:
    content = b"x" * 1_000_000
    assert shell("wc -c", stdin=content).output.strip() == b"1000000"
    assert shell("exit 3", stdin=content).status == 3
    assert shell("exec <&-; sleep 0.2; exit 3", stdin=content).status == 3


def test_a_child_that_closed_its_output_is_waited_for() -> None:
    assert shell("exec >&- 2>&-; sleep 0.2; exit 3").status == 3


def test_a_child_gets_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    ended = supervise(["/bin/cat", "/proc/self/environ"], b"", str(tmp_path), (20.0,), 10_000)
    assert b"PATH=" in ended.output
    assert b"secret" not in ended.output


def test_what_was_printed_just_before_the_end_is_never_lost() -> None:
    assert {shell("wc -c", stdin=b"x" * 70_000).output.strip() for _ in range(30)} == {b"70000"}
