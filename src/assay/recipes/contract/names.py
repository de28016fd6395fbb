"""Names of artifacts and repositories: `alias`, `uid`, `alias,uid`, each with an optional `repo:` in front."""

from __future__ import annotations

import os
from typing import NamedTuple

_UID_CHARACTERS = frozenset("0123456789abcdef.")


def is_uid(word: str) -> bool:
    """Whether a word is a uid: sixteen characters from 0-9, a-f and the dot."""
    return len(word) == 16 and _UID_CHARACTERS.issuperset(word)


class ArtifactName(NamedTuple):
    """An alias (perhaps with `*` and `?`), a uid, or both. If both sides have a uid, only the uids are compared."""

    alias: str = ""
    uid: str = ""

    @classmethod
    def parse(cls, text: str) -> ArtifactName:
        """Parses `alias,uid` in either order."""
        alias = uid = ""
        for part in text.split(","):
            part = part.strip()
            if is_uid(part):
                uid = part
            elif part:
                alias = part
        return cls(alias, uid)

    def matches(self, alias: str, uid: str) -> bool:
        """Whether the name fits an artifact of this alias and uid. Case is ignored. An empty name fits all."""
        if self.uid and uid:
            return self.uid.lower() == uid.lower()
        if not self.alias:
            return not self.uid
        wanted, have = self.alias.lower(), alias.lower()
        if "*" in wanted or "?" in wanted:
            import fnmatch

            return fnmatch.fnmatchcase(have, wanted)
        return wanted == have

    def __bool__(self) -> bool:
        return bool(self.alias or self.uid)

    def __str__(self) -> str:
        return ",".join(part for part in (self.alias, self.uid) if part)


def split_repository(text: str) -> tuple[ArtifactName, ArtifactName]:
    """`repo:artifact` -> (name of the repository or the empty one, name of the artifact)."""
    repository, colon, artifact = text.rpartition(":")
    return (ArtifactName.parse(repository) if colon else ArtifactName(), ArtifactName.parse(artifact))


def new_uid() -> str:
    """Sixteen random hex digits. They distinguish recipes or cache entries with the same name."""
    return os.urandom(8).hex()
