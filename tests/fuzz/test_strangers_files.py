"""No file and no word of a stranger ends in a traceback or in "a bug in Assay": 0 to 4, and a sentence."""

from __future__ import annotations

import io
import os
import random
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assay.cli import guard, main
from tests.fuzz import doors, strange

FEW = 8
"""Cases of each door in the fast tests; $ASSAY_FUZZ sets the number of the slow one."""
MANY, FIRST = int(os.environ.get("ASSAY_FUZZ", "20000")), int(os.environ.get("ASSAY_FUZZ_FIRST", "0"))
CASE = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("good")
    doors.write_good_files(root)
    return root


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, and the home of the recipes in it."""
    there = tmp_path / "there"
    there.mkdir()
    monkeypatch.chdir(there)
    monkeypatch.setenv("CM_REPOS", str(there / "CM"))
    return there


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace of the engine is given: to build its kernels takes a minute, and no stranger's byte is in them."""
    from assay.suts import engine_pace

    monkeypatch.setattr(engine_pace, "measure", lambda *_: engine_pace.EnginePace(0.01, 0.001))


def outcome(words: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Empty for an ending that is foreseen, else the traceback."""
    bugs: list[str] = []

    def report(bug: Exception, args: list[str]) -> int:
        bugs.append("".join(traceback.format_exception(bug)))
        return guard.BUG

    monkeypatch.setattr(guard, "_report_bug", report)
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            main(words)
    except SystemExit as end:  # argparse
        return "" if end.code in (0, 2) else f"exit {end.code}"
    except BaseException as error:
        return "".join(traceback.format_exception(error))
    return bugs[0] if bugs else ""


def hold(door: doors.Door, seed: int, place: Path, good: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One case: good files, one of them damaged, and the command that reads it."""
    draw = random.Random(seed)
    os.chdir(place)  # where a command may have left it for another
    doors.lay_out(good, door, place)
    files = sorted(path for pattern in door.files for path in place.glob(pattern) if path.is_file())
    strange.put(draw.choice(files), draw)
    return outcome(list(door.words), monkeypatch)


_READING = """
plan check audit explain rules submit score dataset recipe compliance model
find show search list ls info where load rm help mlcr cm mlc run
"""
"""Verbs that run nothing of a stranger when their words are nonsense."""
_REAL = """
--json --round --out --samples --config --checkpoint --dataset --scenario --min-duration --target-qps --tags=small
script repo cache inspect convert random v5.1 offline
"""


def spoken(seed: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """One command line of real and made-up words."""
    draw = random.Random(seed)
    words = [
        draw.choice(_REAL.split()) if draw.random() < 0.5 else strange.word(draw)
        for _ in range(draw.randrange(5))
    ]
    words = [word if draw.random() < 0.8 else f"--{word}={strange.word(draw)}" for word in words]
    return outcome([draw.choice(_READING.split()), *words], monkeypatch)


@pytest.mark.parametrize("door", doors.DOORS, ids=lambda door: " ".join(door.words[:3]))
def test_a_damaged_file_ends_in_a_sentence(
    door: doors.Door, place: Path, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @settings(CASE, max_examples=FEW, derandomize=True)
    @given(seed=st.integers(0, 2**32))
    def case(seed: int) -> None:
        assert not hold(door, seed, place, good, monkeypatch)

    case()


@settings(CASE, max_examples=FEW * 10, derandomize=True, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_strange_words_end_in_a_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: "")
    os.chdir(place)
    assert not spoken(seed, monkeypatch)


@pytest.mark.slow
def test_thousands_of_strange_files_and_words(
    place: Path, good: Path, unmeasured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: "")
    found: dict[str, str] = {}
    for seed in range(FIRST, FIRST + MANY):
        door = doors.DOORS[seed % len(doors.DOORS)]
        if bug := hold(door, seed, place, good, monkeypatch) if seed % 5 else spoken(seed, monkeypatch):
            found.setdefault(bug.splitlines()[-1][:60], f"seed {seed}, {' '.join(door.words)}\n{bug}")
    assert not found, "\n".join(found.values())
