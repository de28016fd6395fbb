"""The cache of Hugging Face's own client: read before a model is fetched, never written.

Source of the layout: huggingface_hub, "Understand caching": models--OWNER--NAME/{refs/BRANCH, snapshots/COMMIT/}.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay.ground import model_folder
from assay.ground.errors import AssayError
from assay.ground.hub_model import HubModel


def folder(environ: Mapping[str, str]) -> Path:
    """Where the client keeps models. Source: huggingface_hub, constants.py: HF_HUB_CACHE, HF_HOME."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environ.get(name):
            return Path(environ[name]).expanduser()
    if environ.get("HF_HOME"):
        return Path(environ["HF_HOME"]).expanduser() / "hub"
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "huggingface" / "hub"


def snapshot(cache: Path, model: HubModel) -> Path | None:
    """The folder of a model, when its config and all its weights are there."""
    home = cache / f"models--{model.folder_name}"
    try:
        ref = home / "refs" / (model.revision or "main")
        commit = ref.read_text(encoding="utf-8").strip() if ref.is_file() else model.revision
        found = home / "snapshots" / commit
        if not commit or not (found / "config.json").is_file():
            return None
        model_folder.weight_files(found)
    except (OSError, ValueError, AssayError):
        return None  # half fetched or not readable: as good as not there
    return found
