"""The part of a file that has arrived, and the server's validator for it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from assay.ground import files
from assay.ground.parsed import json_value


class Partial:
    """`.NAME.part` beside the target, and `.NAME.part.json`: which version of which address it is."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f".{target.name}.part")
        self._state = target.with_name(f".{target.name}.part.json")
        self.was_resumed = False

    @property
    def size_bytes(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self, url: str) -> str | None:
        """ETag or date that the bytes here belong to; None when unknown or of another address."""
        validator = self._known(url).get("validator")
        return validator if isinstance(validator, str) else None

    def goes_on(self, url: str, validator: str | None, size_bytes: int | None) -> bool:
        """Does an answer of this validator and whole size go on where these bytes end?

        An answer to If-Range need not repeat the date, but must repeat the ETag (RFC 9110 section 15.3.7).
        """
        known = self._known(url)
        before = known.get("validator")
        if validator != before and before is not None and (validator is not None or before.startswith('"')):
            return False
        return size_bytes is None or known.get("size_bytes") in (None, size_bytes)

    def start(self, url: str, validator: str | None, size_bytes: int | None) -> None:
        """Empty the file: the next body begins at the first byte."""
        self.path.write_bytes(b"")
        state = {"of": _key(url), "validator": validator, "size_bytes": size_bytes}
        self._state.write_text(json.dumps(state), encoding="utf-8")
        self.was_resumed = False

    def _known(self, url: str) -> dict[str, Any]:
        try:
            state = json_value(self._state.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return state if isinstance(state, dict) and state.get("of") == _key(url) else {}

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        self.path.replace(target)
        self._state.unlink(missing_ok=True)

    def mismatch(self, size_bytes: int | None, sha256: str | None, md5: str | None) -> str | None:
        """What is wrong with the bytes that arrived, or None; MD5 is looked at only where no SHA-256 is known."""
        if size_bytes is not None and self.size_bytes != size_bytes:
            return f"{self.size_bytes} bytes arrived, {size_bytes} are expected"
        for name, expected in (("sha256", sha256), ("md5", md5)):
            if expected is not None:
                found = files.digest(self.path, name)
                return None if found == expected.lower() else f"{name} is {found}, {expected} is expected"
        return None


def _key(url: str) -> str:
    """A digest of the address, which may hold secrets."""
    return hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()
