"""`assay cache show` and `assay cache clear`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from assay.cli import cache, main
from assay.ground.store_contents import StoredKind


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "own"
    (home / "models/m").mkdir(parents=True)
    (home / "models/m/a.bin").write_bytes(b"x" * 2_000_000)
    (home / "tuned").mkdir()
    monkeypatch.setenv("ASSAY_HOME", str(home))
    return home


def test_show_names_kinds_with_sizes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "show"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{home}: 2.0 MB" and "models" in out[1] and "2.0 MB" in out[1]
    assert main(["cache", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kinds"][0]["name"] == "models"


def test_clear_away_from_a_terminal_needs_yes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "clear"]) == 2
    assert "to be removed: 2.0 MB: models, tuned" in capsys.readouterr().err
    assert main(["cache", "clear", "models", "-y"]) == 0
    assert f"2.0 MB removed from {home}" in capsys.readouterr().out
    assert (home / "tuned").is_dir() and not (home / "models").exists()
    assert main(["cache", "clear", "--yes", "--json"]) == 0
    assert [kind["name"] for kind in json.loads(capsys.readouterr().out)["removed"]] == ["tuned"]


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("yes\n", 0), ("n\n", 2), ("\n", 2), ("", 2)])
def test_clear_at_a_terminal_asks(
    answer: str, code: int, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard(answer))
    monkeypatch.setattr("sys.stderr", told := Keyboard())
    assert main(["cache", "clear", "models"]) == code
    assert "Remove? [y/N]" in told.getvalue() and (home / "models").exists() is (code == 2)


def test_an_unknown_kind_names_the_nearest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "clear", "modles", "--yes"]) == 2
    assert "did you mean models?" in capsys.readouterr().err and (home / "models").exists()


def test_sizes_are_in_the_unit_that_fits() -> None:
    assert cache.size([]) == "0 B"
    assert cache.size([StoredKind("models", "", 1, 93_400_000_000)]) == "93.4 GB"
