from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec

from assay.endpoint.apis import api_named
from assay.endpoint.clients.crossing import WrittenQuestion
from assay.endpoint.tier import Tier
from assay.mlperf.data.sample import Sample
from assay.mlperf.workloads.workload import Generation
from assay.suts.endpoint_choice import ApiChoice
from assay.suts.endpoint_questions import WARM_UP_TOKENS, Questions

RULES = Generation(2, 64, 2)
PROMPTS = [(7, 8, 9, 10), (7, 8, 9), (5, 6)]


def questions(api: str = "vllm", rules: Generation = RULES) -> Questions:
    samples = [Sample(i, f"q.{i}", "", "", ids, "", (), ()) for i, ids in enumerate(PROMPTS)]
    return Questions(ApiChoice(api_named(api), Tier.A), "m", rules, samples)


def body(written: bytes) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(msgspec.msgpack.decode(written, type=WrittenQuestion).body)
    return read


def test_bodies_are_made_beforehand_and_hold_the_ids_as_they_stand() -> None:
    sent = [body(written) for written in questions().written.values()]
    assert [tuple(one["prompt"]) for one in sent] == PROMPTS
    assert {(one["max_tokens"], one["min_tokens"], one["temperature"]) for one in sent} == {(64, 2, 0.0)}


def test_an_answer_is_held_against_the_vocabulary_of_the_model() -> None:
    asked = questions(rules=replace(RULES, vocabulary=100))
    assert {terms.vocabulary for terms in (*asked.terms.values(), *asked.warm_ups())} == {100}


def test_every_query_has_a_salt_of_its_own_where_the_api_has_salts() -> None:
    asked = questions()
    salted = {body(asked.salted(asked.written[0]))["cache_salt"] for _ in range(100)}
    assert len(salted) == 100
    assert "cache_salt" not in body(asked.write(asked.terms[0], is_salted=False))
    plain = questions("trtllm")
    assert plain.salted(plain.written[0]) == plain.written[0]


def test_warm_ups_and_new_prompts_have_the_runs_lengths_and_none_of_its_prompts() -> None:
    asked = questions()
    warm = asked.warm_ups()
    assert [len(each.prompt_ids) for each in warm] == [4, 3, 2]
    assert not {each.prompt_ids for each in warm} & set(PROMPTS)
    assert {each.most_tokens for each in warm} == {WARM_UP_TOKENS}
    new = asked.new_prompt()
    assert sorted(new.prompt_ids) == [7, 8, 9, 10] and new.most_tokens == 2
