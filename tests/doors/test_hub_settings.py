"""Source of the variables: huggingface_hub, environment variables."""

from __future__ import annotations

from pathlib import Path

from assay.doors.hub_settings import hub_of
from assay.ground.hub import ENDPOINT


def test_without_a_variable_the_hub_is_the_public_one_and_no_token_is_sent() -> None:
    hub = hub_of({})
    assert (hub.endpoint, hub.token) == (ENDPOINT, None)
    assert hub.cache == Path.home() / ".cache/huggingface/hub"


def test_each_variable_is_taken_and_an_empty_one_is_none() -> None:
    hub = hub_of({"HF_ENDPOINT": "https://mirror", "HF_TOKEN": "hf_x", "HF_HOME": "/hf"})
    assert (hub.endpoint, hub.token, hub.cache) == ("https://mirror", "hf_x", Path("/hf/hub"))
    empty = hub_of({"HF_ENDPOINT": "", "HF_TOKEN": "", "HF_HOME": "", "HF_HUB_CACHE": ""})
    assert empty == hub_of({})


def test_the_token_is_in_no_picture_of_the_hub() -> None:
    assert "hf_secret" not in repr(hub_of({"HF_TOKEN": "hf_secret"}))
