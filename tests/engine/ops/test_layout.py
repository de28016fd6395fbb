"""Where packed weights lie: sizes in bytes, computed by hand from panels of 64 columns and words of 4 bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.engine.ops.cpu.layout import PANEL, MatrixLayout


@pytest.mark.parametrize(
    ("layout", "panels", "steps", "kept", "size"),
    [
        # 64 columns of 128 bfloat16: one panel of 64 words (two numbers each)
        (MatrixLayout(64, 128, False, False, False), 1, 64, 64, 64 * 64 * 4),
        (MatrixLayout(65, 128, False, False, False), 2, 64, 64, 2 * 64 * 64 * 4),
        # int8: four numbers a word, then a scale and an offset for each packed column
        (MatrixLayout(64, 128, False, True, False), 1, 32, 32, 32 * 64 * 4 + 2 * 64 * 4),
        (MatrixLayout(64, 130, False, True, False), 1, 33, 33, 33 * 64 * 4 + 2 * 64 * 4),
        # tiles: whole blocks of 16 steps
        (MatrixLayout(64, 130, False, True, True), 1, 33, 48, 48 * 64 * 4 + 2 * 64 * 4),
        # gate and up share panels half and half
        (MatrixLayout(32, 2, True, False, False), 1, 1, 1, 64 * 4),
        (MatrixLayout(33, 2, True, False, False), 2, 1, 1, 2 * 64 * 4),
    ],
)
def test_a_matrix_takes_its_bytes(
    layout: MatrixLayout, panels: int, steps: int, kept: int, size: int
) -> None:
    assert (layout.panels, layout.steps, layout.steps_kept, layout.size) == (panels, steps, kept, size)


LAYOUTS = st.builds(
    MatrixLayout, st.integers(1, 500), st.integers(1, 500), st.booleans(), st.booleans(), st.booleans()
)


@given(LAYOUTS)
def test_parts_may_follow_each_other_and_hold_every_number(layout: MatrixLayout) -> None:
    assert layout.size % 64 == 0
    assert layout.panels * PANEL >= layout.columns
    assert layout.word_bytes >= layout.columns * layout.depth * (1 if layout.is_int8 else 2)
    assert layout.columns == layout.rows * (2 if layout.is_pair else 1)


def test_scales_and_offsets_lie_behind_the_words() -> None:
    group = MatrixLayout(64, 128, False, True, False).group(4096)
    assert (group.words, group.scale, group.offset) == (4096, 4096 + 8192, 4096 + 8192 + 256)
    plain = MatrixLayout(64, 128, False, False, False).group(4096)
    assert (plain.scale, plain.offset) == (None, None)
