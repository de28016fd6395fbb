from __future__ import annotations

import subprocess
import sys

import pytest

from assay import __version__
from assay.cli import VERBS, main

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


def test_an_interrupt_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.cli import guard

    def stopped(args: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(guard, "_dispatch", stopped)
    assert main(["bench"]) == 130
