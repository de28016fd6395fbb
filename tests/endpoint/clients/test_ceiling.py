from __future__ import annotations

import pytest

from assay.endpoint.apis import APIS
from assay.endpoint.audit import AnswerTerms
from assay.endpoint.clients import ceiling
from assay.endpoint.clients.crossing import ClientSetting, WrittenQuestion, packed
from assay.endpoint.clients.null_server import null_server
from assay.endpoint.exchange import ClientLimits
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.single import answer, probed_server
from assay.ground.errors import RunFailed

TOKENS = 5


def question(most: int) -> bytes:
    body = APIS["vllm"].body(Prompt(ids=(1, 2, 3)), Sampling(max_tokens=most), "any", None)
    return packed(WrittenQuestion(body, AnswerTerms((1, 2, 3), (), 2, most, (2,))))


def setting() -> ClientSetting:
    # The user's own server is not asked: nobody is there.
    return ClientSetting("vllm", ("http://127.0.0.1:9",), "secret", ClientLimits(in_flight=4))


def test_a_client_is_measured_against_a_server_of_its_own() -> None:
    found = ceiling.measured(setting(), 2, [question(TOKENS)], TOKENS, 0.05)
    assert found.answers_per_s > 0 and (found.tokens, found.in_flight) == (TOKENS, 4)


def test_answers_that_fail_are_no_ceiling() -> None:
    with pytest.raises(RunFailed, match="TOO_SHORT"):
        ceiling.measured(setting(), 1, [question(1)], 1, 0.05)


@pytest.mark.parametrize("api", ["vllm", "llamacpp", "sglang"])
def test_the_server_without_a_model_speaks_every_api_and_ends(api: str) -> None:
    with null_server(api, TOKENS) as url:
        server = probed_server(url)
        body = APIS[api].body(Prompt(ids=(1, 2, 3)), Sampling(max_tokens=TOKENS), "any", None)
        got = answer(server, APIS[api], body)
    assert got.failure is None and len(got.ids) == TOKENS
    assert answer(server, APIS[api], body).failure is not None
