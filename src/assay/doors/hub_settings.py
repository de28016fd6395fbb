"""The hub as the environment sets it up: the variables of Hugging Face's own client."""

from __future__ import annotations

from collections.abc import Mapping

from assay.ground import hub_cache
from assay.ground.hub import ENDPOINT, Hub


def hub_of(environ: Mapping[str, str]) -> Hub:
    """HF_ENDPOINT, HF_TOKEN, and where its cache is (HF_HUB_CACHE, HF_HOME)."""
    return Hub(
        environ.get("HF_ENDPOINT") or ENDPOINT, environ.get("HF_TOKEN") or None, hub_cache.folder(environ)
    )
