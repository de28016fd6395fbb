"""Native scripts: what reaches bash, and that nothing else does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.recipes.contract import shell
from assay.recipes.contract.cm import CM


def through_bash(value: str, folder: Path) -> str:
    """The value as a script sees it."""
    script = folder / "s.sh"
    shell.write_script(script, [*shell.export_lines({"CM_X": value}), 'printf "%s" "$CM_X" > out'])
    subprocess.run(["bash", str(script)], cwd=folder, check=True, env={"PATH": "/usr/bin:/bin"})
    return (folder / "out").read_text()


@pytest.mark.parametrize(
    "value",
    [
        'a "b" c',
        "$(touch pwned)",
        "`touch pwned`",
        "a\nb",
        "a;touch pwned",
        "a' 'b",
        'x" ; touch pwned ; "',
        "\\",
        "100$",
        "${X:-$(touch pwned)}",
        "a\\nb",
    ],
)
def test_a_value_arrives_as_it_is_and_runs_nothing(value: str, tmp_path: Path) -> None:
    assert through_bash(value, tmp_path) == value
    assert not (tmp_path / "pwned").exists()


def test_a_reference_to_a_variable_still_stands_for_it(tmp_path: Path) -> None:
    assert through_bash("${PATH}:x", tmp_path) == "/usr/bin:/bin:x"


def test_an_escape_that_a_recipe_wrote_means_what_it_means_in_cm(tmp_path: Path) -> None:
    assert through_bash('--name=\\"a b\\" \\$HOME', tmp_path) == '--name="a b" $HOME'


@settings(max_examples=25, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00\r", exclude_categories=["Cs"]), max_size=20)
)
def test_no_text_whatsoever_runs_a_command(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    folder = tmp_path_factory.mktemp("v")
    through_bash(value + "$(touch pwned)`touch pwned`", folder)
    assert not (folder / "pwned").exists()


def test_lists_are_put_in_front_of_what_the_variable_holds() -> None:
    assert shell.export_lines({"+PATH": ["/a", "/b"]}) == ['export PATH="/a:/b:${PATH}"']
    assert shell.export_lines({"+ CFLAGS": ["-O2"]}) == ['export CFLAGS="-O2 ${CFLAGS}"']


def test_a_key_that_bash_cannot_name_is_left_out() -> None:
    assert shell.export_lines({"A.B": "1", "x;touch pwned": "1", "OK": "1"}) == ['export OK="1"']


def test_the_most_special_script_for_the_detected_system_is_taken(tmp_path: Path) -> None:
    for name in ("run.sh", "run-ubuntu.sh", "run-ubuntu-22.04-x86_64.sh"):
        (tmp_path / name).touch()
    env = {"CM_HOST_OS_FLAVOR": "ubuntu", "CM_HOST_OS_VERSION": "24.04", "CM_HOST_PLATFORM_FLAVOR": "x86_64"}
    assert shell.script_for(tmp_path, "run", env, CM) == tmp_path / "run-ubuntu.sh"
    assert (
        shell.script_for(tmp_path, "run", env | {"CM_HOST_OS_VERSION": "22.04"}, CM)
        == tmp_path / "run-ubuntu-22.04-x86_64.sh"
    )
    assert shell.script_for(tmp_path, "run", {}, CM) == tmp_path / "run.sh"
    assert shell.script_for(tmp_path, "other", env, CM) is None


def test_an_exit_status_is_told_in_words() -> None:
    assert shell.status_words(1) == "exit 1"
    assert "SIGKILL" in shell.status_words(137) and "out of memory" in shell.status_words(137)
    assert "SIGTERM" in shell.status_words(-15)
