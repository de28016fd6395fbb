"""The files behind an MLCommons `.uri` metadata file: NAME.uri holds the base address, NAME.md5 the hashes.

Source: the usage text and the public metadata of the MLCommons R2 downloader.
"""

from __future__ import annotations

import re
import urllib.parse

from assay.ground import download, scratch
from assay.ground.artifact import Item, Listing
from assay.ground.download import Patience, Remote
from assay.ground.errors import ArtifactError
from assay.ground.redact import addresses

_LINE = re.compile(r"([0-9a-f]{32})\s+\*?(?:\./)?(\S.*)")


def listing(uri: str, patience: Patience | None = None) -> Listing:
    """What `uri`, the address of a NAME.uri file, stands for. Raises: ArtifactError."""
    if not uri.endswith(".uri"):
        raise ArtifactError(f"{addresses(uri)} is not a metadata address", "it ends in .uri")
    base = _text(uri, patience).strip()
    if not base.startswith(("http://", "https://")):
        raise ArtifactError(
            f"{addresses(uri)} holds no address: {base[:60]!r}",
            "it may need a login in the browser: fetch the files by hand and name their path",
        )
    items = []
    for line in _text(uri.removesuffix(".uri") + ".md5", patience).splitlines():
        if match := _LINE.fullmatch(line.strip()):
            md5, path = match.groups()
            items.append(Item(path, Remote(f"{base}/{urllib.parse.quote(path)}", md5=md5)))
    return Listing(uri, tuple(items))


def _text(url: str, patience: Patience | None) -> str:
    with scratch.folder("assay-r2-") as folder:
        path = download.fetch(Remote(url), folder / "metadata", patience=patience)
        return path.read_text(encoding="utf-8", errors="replace")
