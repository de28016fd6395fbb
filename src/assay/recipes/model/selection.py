"""The tags and variations of a request."""

from __future__ import annotations

from typing import Any, NamedTuple

from assay.recipes.errors import RecipeFault


class Selection(NamedTuple):
    """The requested tags and variations, without defaults. Excluded ones keep their leading hyphen."""

    tags: tuple[str, ...]
    variations: tuple[str, ...]

    @classmethod
    def parse(cls, tags: Any) -> Selection:
        """Parses `get,python3,_venv,-_old` into the tags get, python3 and the variations venv, -old.

        Raises: RecipeFault (1) when one is both requested and excluded.
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
        """Tags and variations in the form of cache tags: `a`, `_v`, `-_w`."""
        return [*self.tags, *(cache_tag(name) for name in self.variations)]

    @property
    def words(self) -> str:
        """The selection as one text: `a,b,_v`."""
        return ",".join([*self.tags, *(f"_{name}" for name in self.variations)])

    def __str__(self) -> str:
        """The form of CM's log: `a b _v`."""
        return " ".join([*self.tags, *(f"_{name}" for name in self.variations)])


def cache_tag(variation: str) -> str:
    """`v` -> `_v`, `-v` -> `-_v`."""
    return f"-_{variation[1:]}" if variation.startswith("-") else f"_{variation}"
