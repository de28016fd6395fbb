"""A path given as text."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from assay.ground.errors import ConfigError, did_you_mean


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


def near(path: Path) -> str:
    """`did you mean X?` for what lies where `path` would, under a name like its; empty where nothing does, and for
    what is there itself."""
    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return ""
    hint = "" if path.name in names else did_you_mean(path.name, names)
    return hint if hint.startswith("did you mean") else ""


_HANDED_OVER = ("/dev/std", "/dev/fd/", "/proc/", "/dev/null")
"""What a shell gives a command to read: `<(command)`, a pipe, nothing."""
_ENDLESS = (
    (stat.S_ISFIFO, "named pipe"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
    (stat.S_ISSOCK, "socket"),
)


def source(text: str | Path) -> Path:
    """The path of what is to be read, as it was given.

    Raises: ConfigError for text that no file system takes, for a device, a socket and a named pipe: these may never
    end. Where nothing is, the reader says so.
    """
    given(text)
    path = Path(text)
    if str(path).startswith(_HANDED_OVER):
        return path
    try:
        mode = path.stat().st_mode
    except OSError:
        return path
    for is_one, name in _ENDLESS:
        if is_one(mode):
            raise ConfigError(f"{path} is a {name}, no file", "save what it gives in a file, and name that")
    return path
