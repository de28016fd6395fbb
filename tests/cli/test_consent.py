"""Nothing of gigabytes is fetched unasked."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest

from assay.cli import consent
from assay.ground.errors import ConfigError


@dataclass
class Thing:
    what: str

    def __str__(self) -> str:
        return f"the {self.what} (87 GB)"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


THINGS = [Thing("checkpoint"), Thing("dataset")]


def sit_at(monkeypatch: pytest.MonkeyPatch, typed: io.StringIO) -> None:
    """Stderr is a terminal, and `typed` is stdin."""
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setattr("sys.stdin", typed)


def ask(things: list[Thing], assume_yes: bool = False) -> None:
    consent.ask(things, assume_yes)  # type: ignore[arg-type]


def test_with_nothing_to_fetch_or_with_yes_nobody_is_asked() -> None:
    ask([])
    ask(THINGS, assume_yes=True)


def test_without_a_terminal_it_is_refused_with_what_would_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(ConfigError) as error:
        ask(THINGS)
    assert error.value.message == "to be fetched first: the checkpoint (87 GB) and the dataset (87 GB)"
    assert (
        error.value.hint == "--yes fetches it once; or name what you have: --checkpoint DIR, --dataset FILE"
    )


def test_a_terminal_on_one_side_alone_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    sit_at(monkeypatch, io.StringIO("y\n"))
    with pytest.raises(ConfigError, match="to be fetched first"):
        ask(THINGS)


@pytest.mark.parametrize("answer", ["y", "Y", "yes", " YES "])
def test_yes_on_a_terminal_is_consent(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sit_at(monkeypatch, Terminal(f"{answer}\n"))
    ask(THINGS)


@pytest.mark.parametrize("answer", ["", "n", "no", "yess", "ja"])
def test_anything_else_is_none(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sit_at(monkeypatch, Terminal(f"{answer}\n" if answer else ""))
    with pytest.raises(ConfigError, match="nothing was fetched"):
        ask(THINGS[:1])
