"""Room for the rows of a step: as large as the kernels fill, and taken again by the next step."""

from __future__ import annotations

import shutil

import pytest

from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops.cpu import build, library
from assay.engine.ops.cpu.scratch import Scratch
from assay.engine.ops.cpu.step_room import StepRooms

MODEL = DecoderConfig(96, 64, 96, 2, 4, 2, 16, 4, 2, 1e-5, 1e4, 512, False, ())


@pytest.fixture
def scratch() -> Scratch:
    if shutil.which("g++") is None:
        pytest.skip("no g++ on this machine: the kernels cannot be built")
    return Scratch(library.load(build.build()))


def test_a_step_of_as_many_rows_has_the_same_room(scratch: Scratch) -> None:
    rooms = StepRooms(scratch, MODEL, is_int8=False, is_tiled=False)
    first = rooms.of_step(5)
    assert rooms.of_step(5) is first
    assert rooms.of_step(6) is not first


def test_shapes_are_those_of_the_legend(scratch: Scratch) -> None:
    room = StepRooms(scratch, MODEL, is_int8=False, is_tiled=False).of_step(5)
    assert (room.h_TD.shape, room.qkv_TN.shape, room.attended_TQ.shape) == ((5, 64), (5, 128), (5, 64))
    assert (room.routing.start_E.shape, room.routing.row_R.shape) == ((5,), (10,))
    assert room.routing.place_TA.shape == room.routing.weight_TA.shape == (5, 2)


@pytest.mark.parametrize(
    ("is_int8", "is_tiled", "has"),
    [
        (False, False, (False, False, False)),
        (True, False, (True, True, False)),
        (False, True, (False, False, True)),
        (True, True, (True, True, True)),
    ],
)
def test_rows_are_rounded_in_int8_and_gathered_for_tiles(
    scratch: Scratch, is_int8: bool, is_tiled: bool, has: tuple[bool, bool, bool]
) -> None:
    room = StepRooms(scratch, MODEL, is_int8, is_tiled).of_rows("row", 17, 33, 3)
    assert (room.values is not None, room.scale is not None, room.tiles is not None) == has


def test_each_group_may_end_in_a_tile_that_is_not_full(scratch: Scratch) -> None:
    StepRooms(scratch, MODEL, is_int8=True, is_tiled=True).of_rows("row", 17, 33, 3)
    # 17 rows are 2 tiles and 3 groups may each begin one more; 33 numbers are 2 blocks of 16 words of two.
    assert scratch.take("row tiles", (1,)).untyped_storage().nbytes() == 5 * 16 * 32 * 4
    # and 9 words of four bytes for each row
    assert scratch.take("row values", (1,)).untyped_storage().nbytes() == 17 * 36
