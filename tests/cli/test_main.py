from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay import __version__
from assay.cli import guard, main
from assay.cli.verbs import VERBS

REQUIRED = [
    word
    for name in ("gsm8k", "mbxp", "instruct", "tokenizer", "samples", "out")
    for word in (f"--{name}", "3")
]
HEAVY = ("argparse", "yaml", "numpy", "torch", "transformers", "jinja2", "assay.config")


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    for verb in VERBS:
        assert f"  {verb} " in printed


def test_version_is_the_packages_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"assay {__version__}\n"


@pytest.mark.parametrize("args", [["--help"], ["version"]])
def test_help_and_version_import_nothing_heavy(args: list[str]) -> None:
    code = (
        f"import sys; from assay.cli import main; main({args!r}); "
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_unknown_verb_names_the_nearest_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bnech"]) == 2
    assert "did you mean bench?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["bench", "--chekpoint", "x"], "did you mean --checkpoint?"),
        (["plan", "--target_qps=3"], "did you mean --target-qps?"),
        (["dataset", "build", "--tokeniser", "x", *REQUIRED], "did you mean --tokenizer?"),
        (["submit", "run", "--submitter", "us", "--divison", "open"], "did you mean --division?"),
        (["bench", "--zzz"], "`assay bench --help`"),
    ],
)
def test_an_unknown_option_names_the_nearest_and_exits_2(
    capsys: pytest.CaptureFixture[str], args: list[str], words: str
) -> None:
    assert main(args) == 2
    assert words in capsys.readouterr().err


def test_the_value_of_an_unknown_option_may_be_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "mixtral-8x7b", "--api-key=hunter2"]) == 2
    told = capsys.readouterr().err
    assert "does not know '--api-key'" in told and "hunter2" not in told


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["bench", "--sut", "engine", "--url", "http://x"], "ask for --sut endpoint"),
        (["bench", "--timeout", "3"], "ask for --sut endpoint"),
        (["bench", "--limit", "3", "--samples", "4"], "--samples is given twice: 3 and 4"),
        (["bench", "--limit", "none"], "from flag --samples"),
        (["bench", "--endpoint", "http://x"], "--url http://HOST:PORT"),
        (["tune", "--dry-run"], "`assay plan`"),
        (["check", "x", "--output-dir=x"], "`assay check --help`"),
        (["plan", "--tags=detect,os"], "CM's dialect"),
        (["bench", "--precision", "fp16"], "did you mean float16?"),
        (["bench", "--precision", "half"], "did you mean float16?"),
        (["plan", "--device", "gpu"], "did you mean cuda?"),
        (["submit", "x", "--division", "closd"], "did you mean closed?"),
        (["bench", "--samples"], "`assay bench --help`"),
        (["model", "random"], "assay model random --config NAME --out DIR"),
        (["bench", "--scenario", "offline", "--scenario", "server"], "--scenario offline,server"),
        (["model", "random", "--seed", "1", "--seed=2"], "--seed is given twice: 1 and 2"),
        (["bench", "\N{EM DASH}scenario", "offline"], "try: --scenario"),
        (["serve"], "--sut serve starts one"),
        (["diff"], "`assay compare A B`"),
        (["frobnicate"], "`assay --help`"),
    ],
)
def test_what_is_meant_is_answered_and_nothing_is_guessed(
    capsys: pytest.CaptureFixture[str], args: list[str], words: str
) -> None:
    assert main(args) == 2
    said = capsys.readouterr().err
    assert words in said and "usage:" not in said


def test_an_option_given_twice_with_the_same_value_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--style", "test", "--style=test"]) == 0


def test_help_and_list_are_our_own_where_cm_is_not_meant(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["help", "bench"])
    assert ended.value.code == 0 and "--target-qps" in capsys.readouterr().out
    assert main(["list"]) == 0 and "mixtral-8x7b" in capsys.readouterr().out
    assert main(["list", "--json"]) == 0 and "engine" in json.loads(capsys.readouterr().out)["sut"]
    assert main(["help", "script"]) == 0 and "actions on script" in capsys.readouterr().out
    assert main(["list", "script"]) == 0 and "--sut" not in capsys.readouterr().out


def test_a_bug_is_told_apart_from_an_expected_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from assay.cli import guard

    def broken(args: list[str]) -> int:
        raise ValueError("surprise")

    monkeypatch.setattr(guard, "_dispatch", broken)
    assert main(["bench"]) == 70
    printed = capsys.readouterr().err
    assert "a bug in Assay: ValueError: surprise" in printed
    assert ".log" in printed


@pytest.mark.parametrize(
    "args",
    [
        ["check"],
        ["audit"],
        ["dataset", "inspect"],
        ["score", "--tokenizer", ".", "--dataset", ".", "--log"],
    ],
)
@pytest.mark.parametrize(
    "name", ["a" * 300 + ".jsonl", "loop/x.jsonl", "file/x.jsonl", "\udcff.jsonl", "a/" * 3000 + "x.jsonl"]
)
def test_a_name_that_the_system_refuses_is_no_bug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], args: list[str], name: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    assert main([*args, str(tmp_path / name)]) in (1, 2, 3)
    assert "bug" not in capsys.readouterr().err


def test_a_working_folder_that_was_removed_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); from assay.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "bench", "--samples", "3"],
        cwd=gone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "the working folder is gone" in done.stderr) == (3, True), done.stderr


def test_a_bug_is_reported_whatever_bytes_its_command_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(args: list[str]) -> int:
        raise ValueError("\ud800 https://me:secret@host/")

    monkeypatch.setattr(guard, "_dispatch", broken)
    assert main(["bench", "\udcff"]) == 70
    printed = capsys.readouterr().err
    assert "secret" not in printed
    log = Path(printed.split("with the log ")[1].strip())
    assert "secret" not in log.read_text()
    log.unlink()


def test_out_of_memory_is_a_matter_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(args: list[str]) -> int:
        raise MemoryError

    monkeypatch.setattr(guard, "_dispatch", broken)
    assert main(["bench"]) == 3


def test_an_interrupt_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.cli import guard

    def stopped(args: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(guard, "_dispatch", stopped)
    assert main(["bench"]) == 130


def test_a_terminated_command_ends_as_an_interrupted_one(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(guard, "_dispatch", lambda args: os.kill(os.getpid(), signal.SIGTERM))
    assert guard.run(["bench"]) == 130
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_unknown_sut_is_refused_before_there_is_a_run_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--sut", "ecko", "--out", str(tmp_path / "run")]) == 2
    assert "did you mean echo?" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_verbose_shows_where_an_error_came_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = str(tmp_path / "nowhere")
    assert main(["check", nowhere, "-v"]) == main(["check", nowhere])
    verbose, plain = capsys.readouterr().err.split("Traceback")
    assert verbose.strip() in plain and "in run" in plain


def test_a_dry_run_of_bench_is_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plan", "--samples", "3"]) == 0
    planned = capsys.readouterr().out
    assert main(["bench", "--limit", "3", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == planned.splitlines()[:3]
    assert not Path("assay-runs").exists()


def test_version_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": __version__}
