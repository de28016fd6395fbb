"""The scheduler as a state machine: requests of any size arrive while others run, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from assay.engine.batch import Batch
from assay.engine.kv_blocks import BLOCK_TOKENS, KvBlocks, blocks_for
from assay.engine.scheduler import Scheduler
from assay.engine.sequence import EngineRequest, Finished, Sequence
from assay.ground.errors import ConfigError

BLOCKS, SLOTS, BUDGET = 6, 4, 24
EOS = 2


def next_token(sequence: Sequence) -> int:
    """A stand-in for the model: the choice depends on the tokens alone, never on the schedule."""
    tokens = [*sequence.request.prompt, *sequence.new_tokens]
    token = (sum(tokens) * 31 + len(tokens)) % 40
    return 3 if token in sequence.banned else token


def alone(request: EngineRequest) -> tuple[int, ...]:
    """What `request` answers when nothing else runs."""
    sequence = Sequence(request)
    while True:
        sequence.new_tokens.append(next_token(sequence))
        if sequence.finish_reason():
            return tuple(sequence.new_tokens)


def run_step(scheduler: Scheduler) -> tuple[Batch, tuple[Finished, ...]]:
    batch = scheduler.next_batch()
    return batch, scheduler.accept(batch, [next_token(c.sequence) for c in batch.sampling]).finished


class Serving(RuleBasedStateMachine):
    order = "arrival"
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.blocks = KvBlocks(BLOCKS)
        self.scheduler = Scheduler(self.blocks, SLOTS, BUDGET, self.order)
        self.asked: dict[int, Sequence] = {}
        self.answers: dict[int, tuple[int, ...]] = {}
        self.cancelled: set[int] = set()

    @rule(
        prompt=st.lists(st.integers(3, 39), min_size=1, max_size=60),
        new=st.integers(1, 36),
        least=st.integers(0, 3),
    )
    def add(self, prompt: list[int], new: int, least: int) -> None:
        request = EngineRequest(
            len(self.asked), tuple(prompt), new, min(least, new), frozenset({EOS}), ((7,), (8, 9))
        )
        self.asked[request.id] = Sequence(request)
        self.scheduler.add(self.asked[request.id])

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        ids = data.draw(st.sets(st.integers(0, len(self.asked) - 1))) if self.asked else set()
        self.scheduler.cancel(ids)
        self.cancelled |= ids - self.answers.keys()

    @rule(steps=st.integers(1, 12))
    def step(self, steps: int) -> None:
        for _ in range(steps):
            if self.scheduler.has_work:
                self.check_step()

    def check_step(self) -> None:
        batch, finished = run_step(self.scheduler)
        assert 0 < batch.num_tokens <= BUDGET
        assert len({c.sequence.request.id for c in batch.chunks}) == len(batch.chunks) <= SLOTS
        for answer in finished:
            assert answer.id not in self.answers, "finished twice"
            self.answers[answer.id] = answer.tokens

    @invariant()
    def no_block_is_shared_or_leaked(self) -> None:
        held = [b for s in self.asked.values() for b in s.blocks]
        assert len(held) == len(set(held)) == self.blocks.num_used

    @invariant()
    def kv_is_backed_by_blocks(self) -> None:
        assert all(blocks_for(s.num_computed) <= len(s.blocks) for s in self.asked.values())

    def teardown(self) -> None:
        bound = 60 + sum(s.num_tokens + s.request.max_new_tokens for s in self.asked.values()) * 4
        for _ in range(bound):
            if self.scheduler.has_work:
                self.check_step()
        assert not self.scheduler.has_work, "a request starved"
        rest = {i: s for i, s in self.asked.items() if i not in self.cancelled}
        assert self.answers == {i: alone(s.request) for i, s in rest.items()}
        assert self.blocks.num_free == BLOCKS


class ServingLongestFirst(Serving):
    order = "longest-prompt"


TestServing = Serving.TestCase
TestServingLongestFirst = ServingLongestFirst.TestCase
TestServing.settings = TestServingLongestFirst.settings = settings(
    max_examples=60, stateful_step_count=20, deadline=None
)


def request(id: int, prompt: int, new: int) -> EngineRequest:
    return EngineRequest(id, (5,) * prompt, new)


def test_decode_and_prefill_share_one_step() -> None:
    scheduler = Scheduler(KvBlocks(20), SLOTS, BUDGET)
    scheduler.add(Sequence(request(0, 10, 8)))
    scheduler.next_batch()
    batch, _ = run_step(scheduler)
    scheduler.add(Sequence(request(1, 50, 4)))
    batch, _ = run_step(scheduler)
    assert [(c.sequence.request.id, c.start, c.stop) for c in batch.chunks] == [(0, 10, 11), (1, 0, 23)]


def test_running_out_of_kv_sets_the_youngest_back_and_loses_no_token() -> None:
    scheduler = Scheduler(KvBlocks(4), 2, 64)
    first, second = Sequence(request(0, 15, 40)), Sequence(request(1, 15, 20))
    scheduler.add(first)
    scheduler.add(second)
    answers = {}
    while scheduler.has_work:
        answers |= {f.id: f.tokens for f in run_step(scheduler)[1]}
    assert scheduler.num_preempted >= 1
    assert answers == {0: alone(first.request), 1: alone(second.request)}


def test_a_request_that_kv_can_never_hold_is_refused_when_it_is_added() -> None:
    scheduler = Scheduler(KvBlocks(2), 2, 64)
    with pytest.raises(ConfigError, match=f"room for {2 * BLOCK_TOKENS}"):
        scheduler.add(Sequence(request(0, 20, 40)))


def test_the_longest_prompts_of_a_line_go_first() -> None:
    scheduler = Scheduler(KvBlocks(20), 1, 64, "longest-prompt")
    for id, size in enumerate((3, 9, 6)):
        scheduler.add(Sequence(request(id, size, 1)))
    order = []
    while scheduler.has_work:
        order += [f.id for f in run_step(scheduler)[1]]
    assert order == [1, 2, 0]
