"""CacheKey: what two runs of a recipe must share to count as the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from assay.recipes.values import Given, Values


class CacheKey(NamedTuple):
    """The values that two runs must share to count as the same. CM compares only the tags; `--cache=exact` compares
    all of this."""

    recipe: str
    digest: str  # of the recipe's description, hooks and scripts
    variations: tuple[str, ...]
    version: str
    inputs: tuple[tuple[str, str], ...]

    def as_json(self) -> Values:
        return {
            "recipe": self.recipe,
            "digest": self.digest,
            "variations": list(self.variations),
            "version": self.version,
            "inputs": [list(pair) for pair in self.inputs],
        }

    def differences(self, kept: Given | None) -> list[str]:
        """Says in which parts an entry differs from this key; empty when the keys are equal."""
        if not kept:
            return ["the entry carries no key: it was made by cm, or by an older run"]
        mine = self.as_json()
        return [
            f"{part}: {_told(kept.get(part))} then, {_told(mine[part])} now"
            for part in mine
            if mine[part] != kept.get(part)
        ]


def _told(part: Any) -> str:
    """A part of a key in words: pairs as `name=value`, and `none` for nothing."""
    if isinstance(part, list):
        return (
            ", ".join("=".join(map(str, item)) if isinstance(item, list) else str(item) for item in part)
            or "none"
        )
    return str(part)


def recipe_digest(folder: Path) -> str:
    """SHA-256 over names and contents of the files in a recipe's folder, without READMEs, `tmp-` files and
    subfolders."""
    import hashlib

    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith(("README", "tmp-")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
