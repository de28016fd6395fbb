from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.engine.batch import Batch, Chunk
from assay.engine.sequence import EngineRequest, Sequence
from assay.ground.errors import ConfigError

EOS = frozenset({2, 9})


def after(*new: int, **asked: object) -> str | None:
    """Why a sequence of these new tokens is over."""
    return Sequence(EngineRequest(0, (5, 6), **asked), list(new)).finish_reason()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("new", "asked", "reason"),
    [
        ((2,), {"eos_ids": EOS}, "eos"),
        ((4, 9), {"eos_ids": EOS}, "eos"),
        ((2, 4), {"eos_ids": EOS}, None),  # only the last counts: it was banned before
        ((4,), {"eos_ids": frozenset()}, None),
        ((7, 8), {"stop": ((7, 8),)}, "stop"),
        ((1, 7, 8), {"stop": ((3,), (7, 8))}, "stop"),
        ((7, 8, 1), {"stop": ((7, 8),)}, None),
        ((7, 8), {"stop": ([7, 8],)}, "stop"),
        ((8,), {"stop": ((6, 8),)}, None),  # the prompt's 6 is no new token
        ((1,), {"stop": ((),)}, None),
        ((1, 1, 1), {"max_new_tokens": 3}, "length"),
        ((1, 1), {"max_new_tokens": 3}, None),
        ((1, 1, 2), {"max_new_tokens": 3, "eos_ids": EOS}, "eos"),
        ((1, 7, 8), {"max_new_tokens": 3, "stop": ((7, 8),)}, "stop"),
    ],
)
def test_a_sequence_ends_by_eos_then_stop_then_length(
    new: tuple[int, ...], asked: dict[str, object], reason: str | None
) -> None:
    assert after(*new, **asked) == reason


def test_the_end_is_banned_until_the_least_tokens_exist() -> None:
    sequence = Sequence(EngineRequest(0, (5,), min_new_tokens=2, eos_ids=EOS))
    assert sequence.banned == EOS
    sequence.new_tokens = [4]
    assert sequence.banned == EOS
    sequence.new_tokens = [4, 4]
    assert sequence.banned == frozenset()


@given(
    st.lists(st.integers(0, 99), max_size=8),
    st.lists(st.integers(0, 99), max_size=8),
    st.integers(0, 16),
    st.integers(0, 16),
)
def test_prompt_and_answer_are_one_row_of_tokens(
    prompt: list[int], new: list[int], start: int, stop: int
) -> None:
    sequence = Sequence(EngineRequest(0, tuple(prompt)), new)
    assert sequence.token_slice(start, stop) == [*prompt, *new][start:stop]
    assert sequence.num_tokens == len(prompt) + len(new)


def test_kv_is_given_up_and_the_tokens_stay() -> None:
    sequence = Sequence(EngineRequest(0, (1, 2, 3)), [4], [7, 8], num_computed=3)
    assert sequence.num_pending == 1
    assert sequence.forget_kv() == [7, 8]
    assert (sequence.blocks, sequence.num_pending, sequence.new_tokens) == ([], 4, [4])


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (EngineRequest(3, ()), "request 3: the prompt is empty"),
        (EngineRequest(3, (1, 10)), "token id 10 is outside the vocabulary of 10"),
        (EngineRequest(3, (-1,)), "token id -1 is outside"),
        (EngineRequest(3, (1,), 0), "0 to 0 new tokens is not a range"),
        (EngineRequest(3, (1,), 4, 5), "5 to 4 new tokens is not a range"),
        (EngineRequest(3, (1,), 4, -1), "-1 to 4 new tokens is not a range"),
        *((EngineRequest(3, wrong), "not whole numbers") for wrong in ((1.0,), (True,), "1", None, ((1,),))),  # type: ignore[arg-type]
        (EngineRequest(3, np.array([1])), "not whole numbers"),  # type: ignore[arg-type]
        (EngineRequest(3, (1,), None), "not whole numbers"),  # type: ignore[arg-type]
        (EngineRequest(3, (1,), 4.0), "not whole numbers"),  # type: ignore[arg-type]
        (EngineRequest(3, (1,), eos_ids=2), "not whole numbers"),  # type: ignore[arg-type]
        (EngineRequest(3, (1,), stop=(7, 8)), "not whole numbers"),  # type: ignore[arg-type]
        (
            EngineRequest(3, (1,) * 5, 4),
            "5 prompt tokens and up to 4 new ones exceed the model's window of 8",
        ),
    ],
)
def test_a_request_that_no_model_can_run_is_refused(request_: EngineRequest, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        request_.refuse_unless_runnable(vocab_size=10, max_positions=8)


def test_a_request_at_every_limit_runs() -> None:
    EngineRequest(3, (0, 9, 9, 9), 4, 4).refuse_unless_runnable(vocab_size=10, max_positions=8)


def test_the_same_request_under_another_id() -> None:
    request = EngineRequest(3, (1,), 7, 2, EOS, ((4,),))
    again = request.with_id(8)
    assert (again.id, again.with_id(3)) == (8, request)


def test_a_chunk_samples_where_it_reaches_the_last_token() -> None:
    sequence = Sequence(EngineRequest(0, (1, 2, 3)), [4])
    assert [Chunk(sequence, 0, stop).samples for stop in (1, 3, 4)] == [False, False, True]
    batch = Batch((Chunk(sequence, 0, 3), Chunk(sequence, 3, 4)))
    assert (batch.num_tokens, [c.size for c in batch.chunks]) == (4, [3, 1])
    assert batch.sampling == batch.chunks[1:]


def test_an_empty_chunk_is_a_bug_that_is_caught() -> None:
    with pytest.raises(AssertionError, match="an empty chunk"):
        Batch((Chunk(Sequence(EngineRequest(0, (1,))), 1, 1),))
