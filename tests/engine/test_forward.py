"""A batch of chunks becomes tensors; the example is that of `ops.Step`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assay.engine.batch import Batch, Chunk
from assay.engine.forward import lay_out, torch_threads
from assay.engine.kv_blocks import BLOCK_TOKENS, blocks_for
from assay.engine.sequence import EngineRequest, Sequence


def sequence(prompt: list[int], new: tuple[int, ...] = (), blocks: tuple[int, ...] = ()) -> Sequence:
    return Sequence(EngineRequest(0, tuple(prompt)), list(new), list(blocks))


def test_a_prefill_of_three_beside_a_decode_at_twenty() -> None:
    reading = sequence([11, 12, 13, 14], blocks=(7,))
    writing = sequence(list(range(100, 118)), (50, 51, 52), blocks=(3, 5))
    step = lay_out(Batch((Chunk(reading, 0, 3), Chunk(writing, 20, 21))))
    assert step.tokens_T.tolist() == [11, 12, 13, 52]
    assert step.positions_T.tolist() == [0, 1, 2, 20]
    assert step.row_start_S.tolist() == [0, 3, 4]
    assert step.context_S.tolist() == [3, 21]
    assert step.table_start_S.tolist() == [0, 1, 3]
    assert step.table.tolist() == [7, 3, 5]
    assert step.sampled_L.tolist() == [3]  # the prefill has not reached its end


def test_only_the_blocks_up_to_the_end_of_the_chunk_are_in_the_table() -> None:
    long = sequence([1] * 40, blocks=(4, 2, 9))
    assert lay_out(Batch((Chunk(long, 0, BLOCK_TOKENS),))).table.tolist() == [4]
    assert lay_out(Batch((Chunk(long, 16, 17),))).table.tolist() == [4, 2]
    assert lay_out(Batch((Chunk(long, 16, 40),))).table.tolist() == [4, 2, 9]


def test_the_types_are_those_of_the_kernels() -> None:
    step = lay_out(Batch((Chunk(sequence([1], blocks=(0,)), 0, 1),)))
    assert (step.tokens_T.dtype, step.sampled_L.dtype) == (torch.int64, torch.int64)
    for tensor in (step.positions_T, step.row_start_S, step.context_S, step.table_start_S, step.table):
        assert tensor.dtype == torch.int32


def test_a_step_that_samples_nothing_has_an_empty_index_of_whole_numbers() -> None:
    step = lay_out(Batch((Chunk(sequence([1, 2], blocks=(0,)), 0, 1),)))
    assert (step.sampled_L.tolist(), step.sampled_L.dtype) == ([], torch.int64)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3), st.data()), min_size=1, max_size=5))
def test_rows_of_any_batch_are_its_tokens_in_order(parts: list[tuple[int, int, st.DataObject]]) -> None:
    chunks, used = [], 0
    for length, new, data in parts:
        total = length + new
        blocks = range(used, used + blocks_for(total))
        used = blocks.stop
        start = data.draw(st.integers(0, total - 1))
        stop = data.draw(st.integers(start + 1, total))
        own = sequence([used * 100 + i for i in range(length)], tuple(-i for i in range(new)), tuple(blocks))
        chunks.append(Chunk(own, start, stop))
    step = lay_out(Batch(tuple(chunks)))
    rows = step.row_start_S.tolist()
    for s, chunk in enumerate(chunks):
        here = slice(rows[s], rows[s + 1])
        whole = [*chunk.sequence.request.prompt, *chunk.sequence.new_tokens]
        assert step.tokens_T[here].tolist() == whole[chunk.start : chunk.stop]
        assert step.positions_T[here].tolist() == list(range(chunk.start, chunk.stop))
        table = step.table[step.table_start_S[s] : step.table_start_S[s + 1]].tolist()
        assert table == chunk.sequence.blocks[: len(table)]
        assert len(table) * BLOCK_TOKENS >= chunk.stop
    assert rows[-1] == len(step.tokens_T)
    assert step.sampled_L.tolist() == [rows[s + 1] - 1 for s, c in enumerate(chunks) if c.samples]


def test_pytorch_has_its_threads_back_after_the_block() -> None:
    before = torch.get_num_threads()
    with torch_threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with torch_threads(None):
        assert torch.get_num_threads() == before
    with pytest.raises(KeyError), torch_threads(1):
        raise KeyError
    assert torch.get_num_threads() == before
