"""HubModel: `hf:OWNER/NAME[@REVISION]` read, once for all that fetch, look up or compare models of the hub."""

from __future__ import annotations

from typing import NamedTuple


class HubModel(NamedTuple):
    """A model of the Hugging Face hub at a revision."""

    name: str
    """OWNER/NAME."""
    revision: str = ""
    """A commit, branch or tag; empty: the model that is here already, else what `main` is now."""

    @classmethod
    def read(cls, source: str) -> HubModel | None:
        """The model that a source names; None where the source is a path or an address."""
        if not source.startswith("hf:"):
            return None
        name, _, revision = source.removeprefix("hf:").partition("@")
        return cls(name, revision)

    @property
    def origin(self) -> str:
        """OWNER/NAME@REVISION. With a commit, this is what the record of a fetched model holds."""
        return f"{self.name}@{self.revision}"

    @property
    def folder_name(self) -> str:
        """OWNER--NAME."""
        return self.name.replace("/", "--")
