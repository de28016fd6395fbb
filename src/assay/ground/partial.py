"""What has arrived of a file so far, and the server's validator it arrived under."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

CHUNK_BYTES = 1 << 20


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
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        validator = state.get("validator") if isinstance(state, dict) and state.get("url") == url else None
        return validator if isinstance(validator, str) else None

    def start(self, url: str, validator: str | None) -> None:
        """Empty, for a body that begins at its first byte."""
        self.path.write_bytes(b"")
        self._state.write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")
        self.was_resumed = False

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        self.path.replace(target)
        self._state.unlink(missing_ok=True)

    def mismatch(self, size_bytes: int | None, sha256: str | None, md5: str | None) -> str | None:
        """What is wrong with the bytes here, or None; MD5 is looked at only where no SHA-256 is known."""
        if size_bytes is not None and self.size_bytes != size_bytes:
            return f"{self.size_bytes} bytes arrived, {size_bytes} are expected"
        for name, expected in (("sha256", sha256), ("md5", md5)):
            if expected is not None:
                found = digest(self.path, name)
                return None if found == expected.lower() else f"{name} is {found}, {expected} is expected"
        return None


def digest(path: Path, name: str) -> str:
    """Hex digest of a file by any hash of hashlib; MD5 serves against accidents, not against forgers."""
    state = hashlib.new(name, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            state.update(chunk)
    return state.hexdigest()
