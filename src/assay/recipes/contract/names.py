"""Names of artifacts and repositories: `alias`, `uid`, `alias,uid`, each perhaps behind `repo:`."""

from __future__ import annotations

import os
from typing import NamedTuple

_UID_CHARACTERS = frozenset("0123456789abcdef.")


def is_uid(word: str) -> bool:
    """Sixteen characters out of 0-9, a-f and the dot."""
    return len(word) == 16 and _UID_CHARACTERS.issuperset(word)


class ArtifactName(NamedTuple):
    """An alias (perhaps with `*` and `?`), a uid, or both; a uid decides alone when both sides have one."""

    alias: str = ""
    uid: str = ""

    @classmethod
    def parse(cls, text: str) -> ArtifactName:
        """`alias,uid` in either order."""
        alias = uid = ""
        for part in text.split(","):
            part = part.strip()
            if is_uid(part):
                uid = part
            elif part:
                alias = part
        return cls(alias, uid)

    def matches(self, alias: str, uid: str) -> bool:
        """Does an artifact of this alias and uid carry the name? Aliases ignore case; an empty name fits all."""
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
    """Sixteen random hex digits: what tells two recipes or cache entries of one name apart."""
    return os.urandom(8).hex()
