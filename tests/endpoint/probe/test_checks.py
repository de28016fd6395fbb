"""Each check of a probe, put to a small server that keeps the rule, breaks it, or says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from assay.endpoint import single
from assay.endpoint.apis import APIS
from assay.endpoint.delta import Delta, Usage
from assay.endpoint.probe import checks
from assay.endpoint.probe.trial import IDS, Asker
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.single import SingleAnswer
from assay.endpoint.tier import Tier
from tests.endpoint.tiny_server import TinyServer
from tests.mock_server import mock

Request = dict[str, Any]
FREE = (7, 8, 9, 10, 11, 12, 13, 14)
"""What a server says greedily."""


def spoken(request: Request, *, holds_minimum: bool = True, sends_stop: bool = True) -> list[int]:
    """A greedy answer that ends at a stop id, as servers do."""
    said: list[int] = []
    for one in FREE:
        is_end = one in (request.get("stop_token_ids") or ())
        if is_end and holds_minimum and len(said) < request.get("min_tokens", 0):
            said.append(99)
            continue
        said += [one] if sends_stop or not is_end else []
        if is_end:
            break
    return said


@contextmanager
def asking(
    answer: Callable[[Request], list[int]] = spoken, api: str = "vllm", **fault: Any
) -> Iterator[Asker]:
    with TinyServer(answer, **fault) as server:
        yield Asker(single.probed_server(server.url), APIS[api], "tiny", APIS[api].tier)


def answer(ids: tuple[int, ...] = (), prompt: tuple[int, ...] | None = None, **usage: int) -> SingleAnswer:
    return SingleAnswer((Delta(ids=ids, prompt_ids=prompt, usage=Usage(**usage)),), None, 0.1, 0.2)


@pytest.mark.parametrize(
    ("ids", "stated", "agrees"),
    [((1, 2), 2, True), ((1, 2), 3, False), ((1, 2), None, None), ((), 2, None), ((), None, None)],
)
def test_counts_agree_where_both_are_told(
    ids: tuple[int, ...], stated: int | None, agrees: bool | None
) -> None:
    usage = {} if stated is None else {"completion_tokens": stated}
    assert checks.counts_agree(answer(ids, **usage)) is agrees


@pytest.mark.parametrize(
    ("prompt", "stated", "kept"),
    [
        (IDS, None, True),
        (IDS, 99, True),
        ((1, *IDS), 3, False),
        (None, len(IDS), True),
        (None, len(IDS) + 1, False),
        (None, None, None),
    ],
)
def test_a_prompt_is_kept_by_its_ids_or_else_by_its_count(
    prompt: tuple[int, ...] | None, stated: int | None, kept: bool | None
) -> None:
    usage = {} if stated is None else {"prompt_tokens": stated}
    assert checks.prompt_is_kept(answer(prompt=prompt, **usage)) is kept


def test_a_minimum_holds_a_stop_id_off() -> None:
    with asking() as asker:
        assert checks.minimum_is_honoured(asker) is True
    with asking(lambda request: spoken(request, holds_minimum=False)) as asker:
        assert checks.minimum_is_honoured(asker) is False


def test_a_minimum_is_not_judged_where_nothing_can_be_shown() -> None:
    with asking(lambda request: list(FREE)) as asker:  # a stop id ends nothing there
        assert checks.minimum_is_honoured(asker) is None
    with asking(lambda request: []) as asker:
        assert checks.minimum_is_honoured(asker) is None
        assert checks.stop_id_is_sent(asker) is None
    with mock(api="llamacpp") as server:
        asker = Asker(server, APIS["llamacpp"], "mock", Tier.A)
        assert checks.minimum_is_honoured(asker) is checks.stop_id_is_sent(asker) is None


@pytest.mark.parametrize(("sends_stop", "told"), [(True, True), (False, False)])
def test_the_stop_id_is_the_last_of_an_answer_or_is_cut(sends_stop: bool, told: bool) -> None:
    with asking(lambda request: spoken(request, sends_stop=sends_stop)) as asker:
        assert checks.stop_id_is_sent(asker) is told


def test_a_stop_id_that_ends_nothing_or_breaks_the_request_shows_nothing() -> None:
    with asking(lambda request: list(FREE)) as asker:
        assert checks.stop_id_is_sent(asker) is None
    with asking(fault="500", faulty_from=1) as asker:
        assert checks.stop_id_is_sent(asker) is None


@pytest.mark.parametrize(("adds_bos", "added"), [(False, 0), (True, 1)])
def test_ids_before_a_text_are_counted(adds_bos: bool, added: int) -> None:
    with mock(adds_bos=adds_bos) as server:
        assert checks.added_to_text(Asker(server, APIS["vllm"], "mock", Tier.A), 7) == added


def test_ids_before_a_text_are_unknown_where_no_count_is_stated_or_texts_are_not_taken() -> None:
    with mock(usage=False) as server:
        assert checks.added_to_text(Asker(server, APIS["vllm"], "mock", Tier.A), 7) is None
    with mock(api="vllm-generate") as server:
        assert checks.added_to_text(Asker(server, APIS["vllm-generate"], "mock", Tier.A), 7) is None


@pytest.mark.parametrize(("one", "taken"), [(999, True), (1000, False)])
def test_the_size_of_the_vocabulary_is_tried(one: int, taken: bool) -> None:
    with mock(vocabulary=1000) as server:
        asker = Asker(server, APIS["vllm"], "mock", Tier.A)
        assert checks.takes_id(asker, one) is taken
    assert checks.takes_id(replace(asker, api=APIS["tgi"]), one) is None


def test_answers_that_differ_without_rules_are_sampled() -> None:
    requests: list[Request] = []

    def sampled(request: Request) -> list[int]:
        requests.append(request)
        return [len(requests), 4] if "temperature" not in request else [3, 4]

    with asking(sampled) as asker:
        assert checks.samples_by_default(asker) is True
    assert not any({"temperature", "top_p", "top_k", "seed"} & request.keys() for request in requests)
    assert all(request["prompt"] == list(IDS) and request["max_tokens"] > 1 for request in requests)


def test_equal_answers_without_rules_are_greedy_and_refused_ones_show_nothing() -> None:
    with asking() as asker:
        assert checks.samples_by_default(asker) is False
    with asking(fault="400", faulty_from=2) as asker:
        assert checks.samples_by_default(asker) is None


def test_rules_are_left_out_wherever_they_stand() -> None:
    """SGLang has them in an object of their own."""
    with mock(api="sglang") as server:
        asker = Asker(server, APIS["sglang"], "mock", Tier.A)
        assert b"temperature" in asker.body(Prompt(ids=IDS), Sampling(max_tokens=3))
        assert checks.samples_by_default(asker) is False
