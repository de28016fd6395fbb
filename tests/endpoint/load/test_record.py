"""load.json: written, read again, judged."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from assay.endpoint.load import record
from assay.endpoint.load.figures import Lengths, LevelFigures
from assay.endpoint.load.level import Goodput, LoadKind, LoadLevel
from assay.endpoint.load.record import LevelRecord, LevelStatus, LoadAsked, LoadRecord
from assay.ground.errors import ArtifactError

LEVELS = (LoadLevel(LoadKind.CONCURRENCY, 1), LoadLevel(LoadKind.RATE, 2.5))


def figures(tokens_per_s: float, p90_ms: float, **more: object) -> LevelFigures:
    lengths = Lengths(1, 2.5, 4)
    at = {"p50": 1.0, "p90": p90_ms, "p99": 3.0}
    made = LevelFigures(
        9, 8, {"CUT": 1}, 2.0, 4.0, tokens_per_s, at, at, at, 0.5, None, None, lengths, lengths
    )
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def made(**more: object) -> LoadRecord:
    asked = LoadAsked(
        "mixtral-nano",
        "ab" * 32,
        300,
        ("http://a:1",),
        "vllm",
        "m",
        30,
        0,
        2,
        256,
        False,
        LEVELS,
        Goodput(500),
    )
    levels = (
        LevelRecord(LEVELS[0], LevelStatus.COMPLETE, "", figures(100, 5), {"LoadGen": {"TTFT": 3.0}}),
        LevelRecord(LEVELS[1], LevelStatus.COMPLETE, "", figures(400, 20)),
    )
    whole = LoadRecord(
        asked, "A", "vllm 1", "embedded", Lengths(1, 2, 3), True, ("assay", "load"), "1", "then", levels
    )
    return dataclasses.replace(whole, **more)  # type: ignore[arg-type]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record.write(tmp_path, made())
    assert record.read(tmp_path) == made()
    plain = json.loads((tmp_path / record.FILE).read_text())
    assert (plain["schema_version"], plain["status"], plain["pareto"]) == (1, "COMPLETE", [True, True])
    assert plain["levels"][1]["level"] == {"kind": "rate", "value": 2.5}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema_version": 2}', '{"schema_version": 1}'])
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / record.FILE).write_text(text)
    with pytest.raises(ArtifactError, match=r"load\.json"):
        record.read(tmp_path)


def test_a_folder_without_a_record_has_none(tmp_path: Path) -> None:
    assert record.read(tmp_path) is None


@pytest.mark.parametrize("status", [LevelStatus.WAITING, LevelStatus.FAILED, LevelStatus.INTERRUPTED])
def test_a_load_is_as_whole_as_its_worst_level(status: LevelStatus) -> None:
    worse = made().with_level(1, LevelRecord(LEVELS[1], status))
    assert worse.status is status and worse.pareto == (True, False)
    assert worse.levels[0] == made().levels[0]


def test_settings_that_differ_are_named_with_both_values() -> None:
    there = made().asked
    other = dataclasses.replace(there, seed=7, levels=LEVELS[:1], goodput=Goodput(ttft_ms=5))
    assert record.differences(there, other) == (
        "seed 0 there, 7 asked; levels concurrency 1, 2.5 requests/s there, concurrency 1 asked; "
        f"goodput {there.goodput.words if there.goodput else 'none'} there, ttft 5 ms asked"
    )
    assert record.differences(there, there) == ""
