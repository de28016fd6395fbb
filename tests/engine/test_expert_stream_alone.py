"""The stream of experts without an engine: which experts are in memory, byte for byte, and what was read for them."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assay.config import Precision
from assay.engine import packed
from assay.engine.expert_stream import ExpertStream, ReadClock, opened, room
from assay.ground.errors import RunFailed


class Places:
    """What the kernels are told: the bytes of each expert that is in memory, by layer."""

    def __init__(self) -> None:
        self.held: dict[tuple[int, int], bytes] = {}

    def place_expert(self, moe: int, expert: int, memory: Any) -> None:
        if memory is None:
            self.held.pop((moe, expert), None)
        else:
            self.held[moe, expert] = bytes(memory.tolist())


LAYERS, EXPERTS, ACTIVE, SIZE = 3, 4, 2, 4096
MANY_ROWS = 16
"""So many are likely to want every expert, before any was counted"""


def content(layer: int, expert: int) -> bytes:
    return bytes([layer * EXPERTS + expert + 1]) * SIZE


@contextmanager
def stream(
    folder: Path, slots: int, resident: tuple[tuple[int, int], ...] = ()
) -> Iterator[tuple[ExpertStream, Places]]:
    """A stream over a copy whose experts differ in every byte."""
    digests = []
    for layer in range(LAYERS):
        experts = [content(layer, e) for e in range(EXPERTS)]
        packed.layer_file(folder, layer).write_bytes(b"".join(experts))
        digests.append(tuple(packed.digest(memoryview(each)) for each in experts))
    manifest = packed.Manifest("int8", "rows", SIZE, LAYERS, EXPERTS, (), 1, tuple(digests))
    places = Places()
    made = ExpertStream(packed.PackedCopy(folder, manifest), places, range(LAYERS), ACTIVE, slots, resident)  # type: ignore[arg-type]
    try:
        yield made, places
    finally:
        made.close()


def change_byte(file: Path, at: int) -> None:
    bytes_ = bytearray(file.read_bytes())
    bytes_[at] ^= 1
    file.write_bytes(bytes_)


def bring(made: ExpertStream, layer: int, *wanted: int) -> None:
    import torch

    rows = [int(e in wanted) for e in range(EXPERTS)]
    made.bring(layer, torch.tensor([0, *rows]).cumsum(0))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a mapping is")
def test_memory_for_reads_asks_for_huge_pages_in_a_way_that_gets_them() -> None:
    memory = room(8 << 20)
    begin = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    kept = next(line.split()[1] for line in lines if holds(line, begin))
    flags = next(line.split()[1:] for line in lines if line.startswith("VmFlags:"))
    assert kept == "rw-p", "shared memory has huge pages only where the machine's shmem_enabled says so"
    assert "dc" in flags, "a fork during a read must not share these pages"
    if Path("/sys/kernel/mm/transparent_hugepage").exists():
        assert "hg" in flags


def holds(line: str, address: int) -> bool:
    """Whether this line of smaps begins the mapping of an address."""
    span = line.split()[0].split("-")
    return len(span) == 2 and int(span[0], 16) <= address < int(span[1], 16)


def test_the_experts_that_rows_want_are_in_memory_whole_and_no_others(tmp_path: Path) -> None:
    with stream(tmp_path, EXPERTS) as (made, places):
        made.begin(1)
        for layer in range(LAYERS):
            bring(made, layer, 1, 3)
            assert places.held == {(layer, 1): content(layer, 1), (layer, 3): content(layer, 3)}
            made.free(layer)
            assert places.held == {}
        assert made.clock.bytes == LAYERS * 2 * SIZE


def test_resident_experts_are_read_once_and_stay(tmp_path: Path) -> None:
    with stream(tmp_path, EXPERTS, ((0, 2), (1, 0))) as (made, places):
        assert made.clock.bytes == 2 * SIZE
        for _ in range(3):
            bring(made, 0, 2)
            made.free(0)
        assert places.held == {(0, 2): content(0, 2), (1, 0): content(1, 0)}
        assert made.clock.bytes == 2 * SIZE


def test_a_large_step_reads_the_next_layers_while_there_is_room(tmp_path: Path) -> None:
    with stream(tmp_path, 2 * EXPERTS) as (made, places):
        made.begin(MANY_ROWS)
        bring(made, 0, *range(EXPERTS))
        bring(made, 1, *range(EXPERTS))
        assert places.held[1, 3] == content(1, 3)
        assert made.clock.bytes == 2 * EXPERTS * SIZE, "both layers were on their way before they were wanted"


def steps(made: ExpertStream, count: int, *wanted: int) -> float:
    """Experts that each of `count` steps read, on average; every layer wants the same."""
    import torch

    before = made.clock.bytes
    for _ in range(count):
        made.begin(MANY_ROWS)
        for layer in range(LAYERS):
            rows_E = [MANY_ROWS * (e in wanted) for e in range(EXPERTS)]
            made.bring(layer, torch.tensor([0, *rows_E]).cumsum(0))
            made.free(layer)
    return (made.clock.bytes - before) / SIZE / count


def test_an_expert_that_no_row_wants_is_soon_not_read_ahead_any_more(tmp_path: Path) -> None:
    with stream(tmp_path, 2 * EXPERTS) as (made, _):
        steps(made, 40, 0, 3)
        assert steps(made, 100, 0, 3) < LAYERS * 2 + 0.1, "but for what is on its way at the end"


def test_the_experts_that_rows_want_come_to_stay_and_are_not_read_again(tmp_path: Path) -> None:
    """Those that were kept at first are wanted by nobody."""
    with stream(tmp_path, 2 * EXPERTS, ((0, 1), (1, 1), (2, 1))) as (made, places):
        steps(made, 40, 2, 3)
        assert made.exchanged == 3
        assert steps(made, 100, 2, 3) < LAYERS * 2 - 3 + 0.1
        kept = {expert for expert in made._resident if expert[1] in (2, 3)}
        assert len(kept) == 3 and all(places.held[each] == content(*each) for each in kept)


def test_an_expert_that_left_is_read_when_it_is_wanted_again(tmp_path: Path) -> None:
    with stream(tmp_path, EXPERTS, ((0, 1),)) as (made, places):
        steps(made, 10, 2, 3)
        assert made.exchanged == 1
        made.begin(1)
        bring(made, 0, 1, 2)
        assert places.held[0, 1] == content(0, 1)


def test_an_expert_that_was_read_for_nothing_makes_room(tmp_path: Path) -> None:
    with stream(tmp_path, EXPERTS) as (made, places):
        made.begin(MANY_ROWS)  # layer 0 fills all slots
        made.begin(1)
        bring(made, 1, 0, 2)
        assert places.held == {(1, 0): content(1, 0), (1, 2): content(1, 2)}
        bring(made, 0, 3)
        assert places.held[0, 3] == content(0, 3)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder that is named as a packed copy is: what to try has its precision."""
    folder = packed.folder_in(tmp_path, Precision.INT8, "form")
    folder.mkdir()
    return folder


def test_a_failed_read_frees_all_slots_and_says_what_was_read(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stream(copy, EXPERTS) as (made, places):
        os.truncate(packed.layer_file(copy, 2), SIZE)
        with pytest.raises(
            RunFailed, match=r"cannot read expert 1 of .*layer-002.*the file ends at byte 4096"
        ):
            bring(made, 2, 0, 1)
        assert places.held == {}
        bring(made, 0, *range(EXPERTS))
        assert len(places.held) == EXPERTS


def test_bytes_are_held_against_their_digest_the_first_time_alone(copy: Path) -> None:
    with stream(copy, EXPERTS) as (made, places):
        bring(made, 0, 1)
        made.free(0)
        change_byte(packed.layer_file(copy, 0), SIZE)
        bring(made, 0, 1)
        assert places.held[0, 1] != content(0, 1), "read again, and not looked at again"
        change_byte(packed.layer_file(copy, 1), 0)
        with pytest.raises(RunFailed, match=r"expert 0 of .*not those that were packed"):
            bring(made, 1, 0)


def test_time_is_counted_once_while_several_threads_read(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    monkeypatch.setattr("assay.engine.expert_stream.time.perf_counter", lambda: now[0])
    clock = ReadClock()
    with clock:
        now[0] += 1
        with clock:
            now[0] += 2
    now[0] += 5
    with clock:
        now[0] += 4
    clock.count(3)
    clock.count(4)
    assert (clock.seconds, clock.bytes) == (7.0, 7)


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "none")
