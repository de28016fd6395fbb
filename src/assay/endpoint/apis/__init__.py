"""Every kind of server that Assay can talk to, by the name that `--api` takes."""

from __future__ import annotations

from assay.endpoint.api import Api
from assay.endpoint.apis.llamacpp import LlamacppCompletion
from assay.endpoint.apis.ollama import OllamaGenerate
from assay.endpoint.apis.openai import OpenaiCompletions
from assay.endpoint.apis.openai_chat import OpenaiChat
from assay.endpoint.apis.sglang import SglangGenerate
from assay.endpoint.apis.sglang_completions import SglangCompletions
from assay.endpoint.apis.tgi import TgiGenerate
from assay.endpoint.apis.trtllm import TrtllmCompletions
from assay.endpoint.apis.vllm import VllmCompletions
from assay.endpoint.apis.vllm_generate import VllmGenerate
from assay.ground.errors import ConfigError, did_you_mean

_ALL: tuple[Api, ...] = (
    VllmCompletions(),
    VllmGenerate(),
    SglangGenerate(),
    SglangCompletions(),
    TrtllmCompletions(),
    LlamacppCompletion(),
    TgiGenerate(),
    OpenaiCompletions(),
    OpenaiChat(),
    OllamaGenerate(),
)
APIS: dict[str, Api] = {api.name: api for api in _ALL}


def api_named(name: str) -> Api:
    """Raises ConfigError for a name that is none."""
    if name not in APIS:
        raise ConfigError(f"there is no API {name}", did_you_mean(name, APIS))
    return APIS[name]
