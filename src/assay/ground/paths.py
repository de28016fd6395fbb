"""A path that somebody gave as text."""

from __future__ import annotations

import os
from pathlib import Path

from assay.ground.errors import ConfigError


def given(text: str | Path) -> Path:
    """The absolute path, `~` expanded.

    Raises: ConfigError for text that no file system takes, an empty one among them, or an unknown `~user`.
    """
    if text == "":
        raise ConfigError("an empty text is no path", "write it out; a variable of the shell may not be set")
    try:
        if b"\0" in os.fsencode(text):
            raise ConfigError(f"{str(text)!r} is no path: it holds a NUL", "write it out")
        return Path(text).expanduser().absolute()
    except (UnicodeEncodeError, RuntimeError) as error:
        raise ConfigError(f"{str(text)!r} is no path: {error}", "write it out") from None
