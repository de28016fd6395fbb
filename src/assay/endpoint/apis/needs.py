"""What kind of prompt an API takes."""

from __future__ import annotations

from assay.endpoint.api import Api
from assay.endpoint.prompt import Prompt
from assay.endpoint.tier import Tier
from assay.ground.errors import ConfigError


def takes_ids(api: Api) -> bool:
    """Whether a prompt may be ids. OpenAI's completions take them, and give text."""
    return api.tier is Tier.A or api.name == "openai"


def ids_of(prompt: Prompt, api: str) -> list[int]:
    """The prompt's ids. Raises ConfigError for text."""
    if prompt.ids is None:
        raise ConfigError(f"the API {api} takes token ids only", "give the prompt as ids")
    return list(prompt.ids)


def text_of(prompt: Prompt, api: str) -> str:
    """The prompt's text. Raises ConfigError for ids."""
    if prompt.text is None:
        raise ConfigError(
            f"the API {api} takes text only", "give the prompt as text, or use a server that takes ids"
        )
    return prompt.text
