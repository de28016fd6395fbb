"""The files of a model on the Hugging Face hub at one revision, with the hashes that the hub publishes.

Source: the hub's HTTP API (`/api/models/NAME/tree/REVISION`, `/NAME/resolve/REVISION/PATH`).
"""

from __future__ import annotations

import json
import re
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.ground import download, scratch
from assay.ground.artifact import Item, Listing
from assay.ground.download import Patience, Remote
from assay.ground.errors import ArtifactError
from assay.ground.hub_model import HubModel
from assay.ground.redact import addresses

ENDPOINT = "https://huggingface.co"
PAGE_ENTRIES = 1000
"""Most entries in one answer of the tree call; a longer list would go on in a second one."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
WANTED = (".safetensors", ".json", ".model", ".txt", ".jinja")
"""Weights, their index, configuration and tokenizer; not the same weights again in other formats."""


@dataclass(frozen=True)
class Hub:
    endpoint: str = ENDPOINT
    token: str | None = field(default=None, repr=False)
    cache: Path | None = None
    """Where Hugging Face's own client keeps what it fetched (`hub_cache`); None: it is not used."""

    def remote(self, url: str, **known: Any) -> Remote:
        hint = "accept the model's terms on its page, then set HF_TOKEN to a token that may read it"
        return Remote(url, token=self.token, token_hint=hint, **known)


def commit(hub: Hub, name: str, revision: str, patience: Patience | None = None) -> str:
    """The full commit id that a branch, tag or short id of `name` means now. Raises: ArtifactError."""
    if _COMMIT.fullmatch(revision):
        return revision
    quoted = f"{urllib.parse.quote(name)}/revision/{urllib.parse.quote(revision, safe='')}"
    answer = _answer(hub, f"{hub.endpoint.rstrip('/')}/api/models/{quoted}", patience)
    found = answer.get("sha") if isinstance(answer, dict) else None
    if not isinstance(found, str) or not _COMMIT.fullmatch(found):
        raise ArtifactError(f"{name}: the hub names no commit of {revision!r}", "a full commit id")
    return found


def listing(hub: Hub, name: str, revision: str, patience: Patience | None = None) -> Listing:
    """What `name` (OWNER/MODEL) holds at `revision`, a full commit id: never a branch that may move.

    Raises: ArtifactError.
    """
    if not _COMMIT.fullmatch(revision):
        raise ArtifactError(
            f"{revision!r} is not a commit of {name}", "a full commit id of 40 hex digits: branches move"
        )
    quoted = urllib.parse.quote(name)
    base = hub.endpoint.rstrip("/")
    tree = _tree(hub, f"{base}/api/models/{quoted}/tree/{revision}?recursive=true", patience)
    items = [
        _item(hub, f"{base}/{quoted}/resolve/{revision}", entry)
        for entry in tree
        if entry.get("type") == "file" and str(entry.get("path")).endswith(WANTED)
    ]
    return Listing(HubModel(name, revision).origin, tuple(items))


def _item(hub: Hub, base: str, entry: dict[str, Any]) -> Item:
    try:
        path = str(entry["path"])
        lfs = entry.get("lfs")
        sha256 = str(lfs["oid"]).removeprefix("sha256:") if lfs else None
        url = f"{base}/{urllib.parse.quote(path)}"
        remote = hub.remote(url, size_bytes=int(entry["size"]), sha256=sha256)
        return Item(path, remote, None if lfs else str(entry["oid"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ArtifactError(
            f"{addresses(base)}: an entry of the listing is not as the hub writes it ({error!r:.80})",
            "check the endpoint",
        ) from error


def _answer(hub: Hub, url: str, patience: Patience | None) -> Any:
    with scratch.folder("assay-hub-") as folder:
        answer = download.fetch(hub.remote(url), folder / "answer.json", patience=patience)
        try:
            return json.loads(answer.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ArtifactError(
                f"{addresses(url)}: the answer is not JSON ({error})", "check the endpoint"
            ) from error


def _tree(hub: Hub, url: str, patience: Patience | None) -> list[dict[str, Any]]:
    tree = _answer(hub, url, patience)
    if not isinstance(tree, list) or not all(isinstance(entry, dict) for entry in tree):
        raise ArtifactError(f"{addresses(url)}: the answer is not a list of files", "check the endpoint")
    if len(tree) >= PAGE_ENTRIES:
        raise ArtifactError(f"{addresses(url)}: {len(tree)} files or more", "a checkpoint of fewer files")
    return tree
