"""How a server is to choose tokens.

Every field is sent with every request. A server fills what is left out from its own defaults or from the model's
generation_config.json, and then samples where a greedy answer was meant.
Source: vLLM and SGLang documentation of their sampling defaults; llama.cpp tools/server/README.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sampling:
    """The rules of one answer. `temperature` 0 is greedy; `top_k` 0 is off; penalties are always off."""

    max_tokens: int
    min_tokens: int = 0
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop_ids: tuple[int, ...] = ()
    """Ids that end an answer besides the model's own end-of-sequence ids."""
    stop_texts: tuple[str, ...] = ()
    """Strings that end an answer. A string may end inside a token: the caller cuts the ids."""
    ignore_eos: bool = False
    """Makes every answer exactly max_tokens long, for synthetic load."""
