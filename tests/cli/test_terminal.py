from __future__ import annotations

import json

import pytest

from assay.cli import terminal


def test_what_is_said_goes_to_stdout_with_controls_made_visible(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("a\x1b[2Jb\n\tc")
    terminal.say("end", end="")
    assert capsys.readouterr() == ("a\\x1b[2Jb\n\tc\nend", "")


def test_what_is_told_goes_to_stderr_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.tell("cannot\x07 get https://me:secret@host/f?sig=1")
    assert capsys.readouterr() == ("", "cannot\\x07 get https://***@host/f?sig=***\n")


def test_json_stays_json_with_every_control_shown(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say_json(json.dumps({"a": "\x7f\x1b"}))
    printed = capsys.readouterr().out
    assert printed.strip().isprintable()
    assert json.loads(printed) == {"a": "\x7f\x1b"}


def test_the_width_is_that_of_columns_or_the_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "57")
    assert terminal.width(99) == 57
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr("sys.__stdout__", None)
    assert terminal.width(99) == 99
