"""Training batches: samples end to end, each place of an answer predicted by the one before it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from assay.nano.batch import GROUP_SIZE, pack, training_batch
from assay.nano.shipped import checkpoint_dir
from assay.nano.tokenizer import load_tokenizer

IDS = st.lists(st.integers(0, 99), min_size=1, max_size=6)


def test_two_samples_by_hand() -> None:
    batch = pack([([1, 2, 3], [4, 5]), ([6], [7, 8])])  # the shorter one comes first
    assert batch.ids_N.tolist() == [6, 7, 1, 2, 3, 4]
    assert batch.position_N.tolist() == [0, 1, 0, 1, 2, 3]
    assert batch.source_A.tolist() == [0, 1, 4, 5]
    assert batch.target_A.tolist() == [7, 8, 4, 5]
    (group,) = batch.groups
    assert (group.sample_N.tolist(), group.position_N.tolist()) == ([0, 0, 1, 1, 1, 1], [0, 1, 0, 1, 2, 3])
    assert (group.num_samples, group.length_max) == (2, 4)


@given(st.lists(st.tuples(IDS, IDS), min_size=1, max_size=30))
@settings(max_examples=50)
def test_each_answer_id_is_predicted_by_what_stands_before_it(
    pairs: list[tuple[list[int], list[int]]],
) -> None:
    batch = pack(pairs)
    by_length = sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1]))
    whole = [prompt + answer for prompt, answer in by_length]
    assert batch.ids_N.tolist() == [i for ids in whole for i in ids[:-1]]
    after = [i for ids in whole for i in ids[1:]]
    assert batch.target_A.tolist() == [after[place] for place in batch.source_A.tolist()]
    assert batch.target_A.tolist() == [i for _, answer in by_length for i in answer]
    assert sum(len(group.sample_N) for group in batch.groups) == len(batch.ids_N)
    assert [group.num_samples for group in batch.groups[:-1]] == [GROUP_SIZE] * (len(batch.groups) - 1)


def test_a_step_is_the_same_whenever_it_is_made_and_another_step_is_another() -> None:
    tokenizer = load_tokenizer(checkpoint_dir())
    first, again = (training_batch(tokenizer, 1, 5, 6) for _ in range(2))
    assert first.ids_N.tolist() == again.ids_N.tolist()
    assert training_batch(tokenizer, 1, 6, 6).ids_N.tolist() != first.ids_N.tolist()
    assert training_batch(tokenizer, 2, 5, 6).ids_N.tolist() != first.ids_N.tolist()
