"""What kind of prompt each API takes, and what is said of one of the other kind."""

from __future__ import annotations

import pytest

from assay.endpoint.apis import APIS, needs
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.ground.errors import ConfigError

IDS, TEXT = Prompt(ids=(3, 4)), Prompt(text="Hi")


@pytest.mark.parametrize("name", APIS)
def test_an_api_that_takes_ids_makes_a_body_of_them_and_another_refuses(name: str) -> None:
    api = APIS[name]
    if needs.takes_ids(api):
        assert b"3" in api.body(IDS, Sampling(max_tokens=9), "m", None)
    else:
        with pytest.raises(ConfigError, match=f"the API {name} takes text only"):
            api.body(IDS, Sampling(max_tokens=9), "m", None)


def test_openai_takes_ids_though_it_gives_text() -> None:
    assert needs.takes_ids(APIS["openai"]) and not needs.takes_ids(APIS["openai-chat"])


def test_a_prompt_of_the_other_kind_is_refused_with_the_kind_that_is_taken() -> None:
    assert needs.ids_of(IDS, "x") == [3, 4] and needs.text_of(TEXT, "x") == "Hi"
    assert needs.ids_of(Prompt(ids=()), "x") == [] and needs.text_of(Prompt(text=""), "x") == ""
    with pytest.raises(ConfigError, match="the API x takes token ids only"):
        needs.ids_of(TEXT, "x")
    with pytest.raises(ConfigError, match="the API x takes text only") as refused:
        needs.text_of(IDS, "x")
    assert "a server that takes ids" in refused.value.hint
