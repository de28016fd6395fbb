"""How long answers were is remembered by checkpoint and dataset, and never trusted blindly."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from assay.bench import answer_lengths
from assay.ground import settings
from assay.mlperf import workloads
from assay.mlperf.data.sample import Sample


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    settings.set_home(tmp_path / "store")
    checkpoint = tmp_path / "model"
    checkpoint.mkdir()
    (checkpoint / "config.json").write_text("{}")
    dataset = tmp_path / "set.jsonl"
    dataset.write_text("")
    return checkpoint, dataset


def test_what_is_kept_comes_back_and_grows(places: tuple[Path, Path]) -> None:
    assert answer_lengths.recall(*places) == {}
    answer_lengths.keep(*places, {3: 10, 1: 20})
    answer_lengths.keep(*places, {3: 11, 7: 5})
    assert answer_lengths.recall(*places) == {1: 20, 3: 11, 7: 5}


def test_another_model_in_the_same_place_is_another_one(places: tuple[Path, Path]) -> None:
    checkpoint, dataset = places
    answer_lengths.keep(checkpoint, dataset, {1: 20})
    for changed in (checkpoint / "config.json", dataset):
        os.utime(changed, ns=(1, 1))
        assert answer_lengths.recall(checkpoint, dataset) == {}
        answer_lengths.keep(checkpoint, dataset, {1: 20})


def test_a_link_to_a_model_is_that_model(places: tuple[Path, Path], tmp_path: Path) -> None:
    checkpoint, dataset = places
    answer_lengths.keep(checkpoint, dataset, {1: 20})
    (tmp_path / "link").symlink_to(checkpoint)
    assert answer_lengths.recall(tmp_path / "link", dataset) == {1: 20}


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"a": 1}', '{"1": null}', '{"1": "x"}', "[" * 100_000])
def test_a_damaged_memory_is_none(text: str, places: tuple[Path, Path]) -> None:
    answer_lengths.keep(*places, {1: 20})
    (file,) = (settings.home() / "answer_lengths").iterdir()
    file.write_text(text)
    assert answer_lengths.recall(*places) == {}


def test_a_model_that_is_not_there_has_no_memory_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert answer_lengths.recall(tmp_path / "loop", tmp_path / "absent") == {}


MIXTRAL = workloads.get("mixtral-8x7b")
ROWS = [Sample(index, str(index), "GSM8K", "", (), "", (7,) * (index + 1), ()) for index in range(3)]


def test_remembered_lengths_count_when_every_row_is_remembered() -> None:
    known = {0: 10, 1: 20, 2: 3000}
    made = answer_lengths.expected(ROWS, 1024, MIXTRAL, known)
    assert made.tokens == (10, 20, 1024)
    assert "this checkpoint's were" in made.notes[0]
    del known[1]
    assert answer_lengths.expected(ROWS, 1024, MIXTRAL, known).tokens == (2, 3, 4)


def test_random_weights_go_on_to_the_end_unless_they_are_known() -> None:
    assert answer_lengths.expected(ROWS, 50, MIXTRAL, {}, is_random=True).tokens == (50, 50, 50)
    assert (
        answer_lengths.expected(ROWS, 50, MIXTRAL, dict.fromkeys(range(3), 9), is_random=True).tokens[0] == 9
    )


def test_without_reference_answers_the_official_means_count() -> None:
    rows = [replace(ROWS[0], reference_ids=()), replace(ROWS[0], reference_ids=(), subset="else")]
    made = answer_lengths.expected(rows, 1024, MIXTRAL, {})
    assert made.tokens == (1 + MIXTRAL.mean_answer_tokens["GSM8K"], 1024)
    assert "no reference answers" in made.notes[0]


def test_the_reference_counts_with_a_note_that_it_is_not_this_model() -> None:
    assert "after its first accuracy run" in answer_lengths.expected(ROWS, 1024, MIXTRAL, {}).notes[0]
    assert answer_lengths.expected(ROWS, 1024, MIXTRAL, {}, has_model=False).notes == ()
    nano = workloads.get("mixtral-nano")
    assert answer_lengths.expected(ROWS, 1024, nano, {}).notes == ()
    assert answer_lengths.expected([], 1024, MIXTRAL, {}) == answer_lengths.ExpectedAnswers(())
