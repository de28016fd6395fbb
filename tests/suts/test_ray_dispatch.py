from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ground.errors import RunFailed
from assay.suts.ray_dispatch import Dispatcher, Share


def asked(dispatcher: Dispatcher, ids: list[int]) -> list[Share]:
    dispatcher.add(np.array(ids, np.uint64), np.array(ids, np.int32) * 10)
    return dispatcher.shares()


def sizes(shares: list[Share]) -> dict[int, int]:
    return {share.replica: len(share.numbers) for share in shares}


def test_many_queries_are_shared_by_the_rooms_of_the_replicas() -> None:
    dispatcher = Dispatcher([100, 300])
    assert sizes(asked(dispatcher, list(range(200)))) == {0: 50, 1: 150}
    assert dispatcher.waiting == 0 and dispatcher.open == 200


def test_what_has_no_room_waits_until_an_answer_comes() -> None:
    dispatcher = Dispatcher([2, 2])
    shares = asked(dispatcher, [1, 2, 3, 4, 5, 6])
    assert sizes(shares) == {0: 2, 1: 2} and dispatcher.waiting == 2
    dispatcher.done(1, shares[1].numbers[:1])
    assert sizes(dispatcher.shares()) == {1: 1}
    assert dispatcher.waiting == 1


def test_single_queries_go_to_the_least_loaded_and_take_turns() -> None:
    dispatcher = Dispatcher([8, 8, 8])
    order = [asked(dispatcher, [id_])[0].replica for id_ in range(6)]
    assert order == [0, 1, 2, 0, 1, 2]
    for replica in (0, 1, 2):  # all idle again: the one that was given least is next
        dispatcher.done(replica, np.arange(6))
    assert [asked(dispatcher, [id_])[0].replica for id_ in range(4)] == [0, 1, 2, 0]


def test_the_queries_of_a_dead_replica_go_to_others_first() -> None:
    dispatcher = Dispatcher([2, 2])
    shares = asked(dispatcher, [1, 2, 3, 4, 5])
    assert dispatcher.lose(0) == 2
    dispatcher.done(1, shares[1].numbers)
    (share,) = dispatcher.shares()
    assert share.replica == 1 and share.numbers.tolist() == shares[0].numbers.tolist()
    assert share.indices.tolist() == shares[0].indices.tolist()
    assert dispatcher.taken_over == 2 and dispatcher.alive == [1]


def test_an_answer_is_taken_once_and_from_its_owner_alone() -> None:
    dispatcher = Dispatcher([4, 4])
    shares = asked(dispatcher, [70, 71])
    assert dispatcher.done(1, shares[0].numbers)[1].tolist() == []
    places, ids = dispatcher.done(0, np.repeat(shares[0].numbers, 2))
    assert places.tolist() == [0] and ids.tolist() == [70]
    assert dispatcher.done(0, shares[0].numbers)[1].tolist() == []
    assert dispatcher.done(0, np.array([99]))[1].tolist() == []
    assert dispatcher.open == 1 and dispatcher.dropped == 4


def test_a_first_token_is_told_once_also_when_the_query_changes_hands() -> None:
    dispatcher = Dispatcher([4, 4])
    share = asked(dispatcher, [70])[0]
    assert dispatcher.first_tokens(0, share.numbers)[1].tolist() == [70]
    dispatcher.lose(0)
    assert dispatcher.first_tokens(0, share.numbers)[1].tolist() == []
    (again,) = dispatcher.shares()
    assert dispatcher.first_tokens(1, again.numbers)[1].tolist() == []
    assert dispatcher.done(1, again.numbers)[1].tolist() == [70]


def test_an_id_that_comes_again_is_another_query() -> None:
    dispatcher = Dispatcher([4])
    late = asked(dispatcher, [7])[0].numbers
    dispatcher.done(0, late)
    again = asked(dispatcher, [7])[0].numbers
    assert dispatcher.done(0, late)[1].tolist() == []  # of the run before
    assert dispatcher.done(0, again)[1].tolist() == [7]


def test_without_a_replica_the_run_ends() -> None:
    dispatcher = Dispatcher([4])
    asked(dispatcher, [1, 2])
    dispatcher.lose(0)
    with pytest.raises(RunFailed, match="2 queries wait, and no replica is left"):
        dispatcher.shares()


@given(
    rooms=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    steps=st.lists(
        st.tuples(st.sampled_from("aaadddfkl"), st.integers(0, 5), st.integers(1, 60)), max_size=60
    ),
)
def test_whatever_happens_each_query_is_answered_once_with_its_own_sample(
    rooms: list[int], steps: list[tuple[str, int, int]]
) -> None:
    """a: queries come; d: a replica answers some; f: it tells first tokens; k: it dies; l: it answers late or again."""
    dispatcher = Dispatcher(rooms)
    held: dict[int, dict[int, int]] = {replica: {} for replica in range(len(rooms))}
    everything: list[tuple[int, int]] = []
    firsts: Counter[int] = Counter()
    answers: Counter[int] = Counter()
    sample_of: dict[int, int] = {}
    id_of: dict[int, int] = {}
    alive, count = set(range(len(rooms))), 0

    def give() -> None:
        if not alive:
            return
        for share in dispatcher.shares():
            assert share.replica in alive
            for number, index in zip(share.numbers.tolist(), share.indices.tolist()):
                held[share.replica][number] = index
                everything.append((share.replica, number))
                assert sample_of.setdefault(number, index) == index
        for replica in alive:
            assert dispatcher.loads[replica] == len(held[replica]) <= rooms[replica]

    def answer(replica: int, numbers: list[int]) -> None:
        places, ids = dispatcher.done(replica, np.array(numbers, np.int64))
        for place, id_ in zip(places.tolist(), ids.tolist()):
            answers[id_] += 1
            assert held[replica].pop(numbers[place]) == id_ % 1000
            id_of[numbers[place]] = id_

    for word, which, many in steps:
        replica = which % len(rooms)
        if word == "a":
            ids = np.arange(count, count + many)
            dispatcher.add(ids.astype(np.uint64), (ids % 1000).astype(np.int32))
            count += many
        elif word == "d":
            answer(replica, list(held[replica])[:many])
        elif word == "f":
            firsts.update(
                dispatcher.first_tokens(replica, np.array(list(held[replica]), np.int64))[1].tolist()
            )
        elif word == "k" and len(alive) > 1 and replica in alive:
            alive.discard(replica)
            assert dispatcher.lose(replica) == len(held[replica])
            held[replica].clear()
        elif word == "l":
            answer(replica, [number for who, number in everything if who == replica][-many:])
        give()
    while dispatcher.open:
        for replica in alive:
            answer(replica, list(held[replica]))
        give()
    assert answers == Counter(range(count))
    assert max(firsts.values(), default=0) <= 1
