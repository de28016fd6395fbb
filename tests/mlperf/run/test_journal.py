"""A journal of answers: whatever byte it is cut at, what is read is a beginning of what was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.run import journal
from assay.mlperf.run.journal import JournalWriter

ANSWERS = {4: [7, 8, 9], 0: [5], 2: [], 1: [2**31 - 1, -1]}


def write(path: Path, answers: dict[int, list[int]], firsts: dict[int, int] | None = None) -> None:
    writer = JournalWriter(path)
    tokens = np.array([token for ids in answers.values() for token in ids], np.int32)
    writer.add(list(answers), firsts or {}, [len(ids) for ids in answers.values()], tokens)
    writer.close()


def read(path: Path) -> dict[int, list[int]]:
    return {index: answer.token_ids.tolist() for index, answer in journal.read(path).items()}


def test_what_is_written_is_read_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "logs/journal"
    write(path, ANSWERS, {4: 7, 0: 0})
    assert read(path) == ANSWERS and list(read(path)) == list(ANSWERS)
    found = journal.read(path)
    assert [found[index].first_id for index in ANSWERS] == [7, 0, None, None]
    write(path, {9: [1]})
    assert read(path) == {**ANSWERS, 9: [1]}


def test_without_a_file_there_is_no_answer(tmp_path: Path) -> None:
    assert journal.read(tmp_path / "none") == {}


def test_a_journal_cut_at_any_byte_gives_a_beginning_and_can_be_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    write(path, ANSWERS)
    whole, items = path.read_bytes(), list(ANSWERS.items())
    seen = set()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        found = list(read(path).items())
        assert found == items[: len(found)]
        seen.add(len(found))
        write(path, {7: [size]})
        assert list(read(path).items()) == [*found, (7, [size])]
    assert seen == {0, 1, 2, 3, 4}


def test_an_entry_with_a_wrong_byte_ends_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    write(path, ANSWERS)
    whole = path.read_bytes()
    for place in range(len(journal.MAGIC), len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
        found = list(read(path).items())
        assert found == list(ANSWERS.items())[: len(found)] and len(found) < len(ANSWERS)


def test_another_file_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"something else altogether")
    with pytest.raises(ArtifactError, match="is no journal of answers"):
        journal.read(path)
    with pytest.raises(ArtifactError):
        JournalWriter(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ArtifactError, match="cannot be read"):
        journal.read(path)
