"""What was asked for, as tags and variations."""

from __future__ import annotations

from typing import Any, NamedTuple

from assay.recipes.errors import RecipeFault


class Selection(NamedTuple):
    """Tags and variations as asked, nothing filled in. Excluded ones keep their leading hyphen."""

    tags: tuple[str, ...]
    variations: tuple[str, ...]

    @classmethod
    def parse(cls, tags: Any) -> Selection:
        """`get,python3,_venv,-_old` -> tags get, python3 and variations venv, -old.

        Raises: RecipeFault (1) when something is both asked for and excluded.
        """
        words = tags if isinstance(tags, list) else str(tags or "").split(",")
        plain: list[str] = []
        variations: list[str] = []
        for word in (str(word).strip() for word in words):
            if word.startswith(("_", "-_")):
                variations.append(word[1:] if word[0] == "_" else "-" + word[2:])
            elif word:
                plain.append(word)
        for kind, listed in (("tags", plain), ("variations", variations)):
            both = [word for word in listed if f"-{word}" in listed]
            if both:
                raise RecipeFault(f"{kind} both asked for and excluded: {', '.join(both)}")
        return cls(tuple(plain), tuple(dict.fromkeys(variations)))

    @property
    def asked_tags(self) -> list[str]:
        """Tags and variations in the spelling of a cache entry: `a`, `_v`, `-_w`."""
        return [*self.tags, *(cache_tag(name) for name in self.variations)]

    @property
    def words(self) -> str:
        """`a,b,_v`."""
        return ",".join([*self.tags, *(f"_{name}" for name in self.variations)])

    def __str__(self) -> str:
        """As CM's log writes it: `a b _v`."""
        return " ".join([*self.tags, *(f"_{name}" for name in self.variations)])


def cache_tag(variation: str) -> str:
    """`v` -> `_v`, `-v` -> `-_v`."""
    return f"-_{variation[1:]}" if variation.startswith("-") else f"_{variation}"
