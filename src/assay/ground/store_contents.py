"""What lies in the store, how large it is, and how it is cleared without taking it from a process that runs.

A process that works with the store holds `.in-use` there, shared with others; who clears holds it alone. Only what
Assay puts there is ever removed: a store that was set to the wrong folder loses nothing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from assay.ground import settings
from assay.ground.errors import ConfigError, EnvironmentProblem, did_you_mean

KINDS = {
    "models": "models that were fetched",
    "datasets": "datasets that were fetched",
    "loadgen": "LoadGen of each round, and its wheels",
    "kernels": "kernels of the engine, compiled for this machine",
    "mbxp": "npm packages and headers that MBXP's programs are run with",
    "tuned": "rates that assay tune has found",
    "answer_lengths": "how long answers were, for assay plan",
    "limits.json": "limits of this machine that assay doctor --roofline has measured",
}
"""Name in the store -> what it is. All of it comes back when it is needed."""
OWN = "rounds"
"""What users put there themselves: nothing brings it back, so it is never removed."""
IN_USE = ".in-use"
REMOVED = ".removed-"
"""Start of the name of what is being removed."""


@dataclass(frozen=True)
class StoredKind:
    """One thing in the store."""

    name: str
    what: str
    files: int
    bytes: int
    """On the disk, each file once."""


@contextmanager
def used() -> Iterator[None]:
    """While the block runs, nobody clears the store; waits for who clears it now. A store that cannot be written to
    cannot be cleared either: there nothing is held."""
    handle = None
    with suppress(OSError):
        settings.home().mkdir(parents=True, exist_ok=True)
        handle = os.open(settings.home() / IN_USE, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        if handle is not None:
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def contents() -> tuple[StoredKind, ...]:
    """What is there, the largest first."""
    found = (_measured(name) for name in KINDS if os.path.lexists(settings.home() / name))
    return tuple(sorted(found, key=lambda kind: -kind.bytes))


def refuse_unknown(names: Iterable[str]) -> None:
    """Raises: ConfigError for what is none of KINDS."""
    for name in names:
        if name not in KINDS:
            hint = did_you_mean(name, KINDS) if name != OWN else f"{settings.home() / OWN} is yours to remove"
            raise ConfigError(f"{name!r} is nothing that Assay put into the store", hint)


def clear(names: Iterable[str]) -> None:
    """Remove kinds. Raises: ConfigError for what is none; EnvironmentProblem while a process uses the store."""
    asked = tuple(names)
    refuse_unknown(asked)
    if not settings.home().is_dir():
        return
    with _alone():
        for left in settings.home().glob(f"{REMOVED}*"):  # by a process that was killed here
            _remove(left)
        for name in asked:
            place, gone = settings.home() / name, settings.home() / f"{REMOVED}{name}"
            if os.path.lexists(place):
                place.rename(gone)  # at once: a kind is never half there
                _remove(gone)


def _measured(name: str) -> StoredKind:
    top = settings.home() / name
    is_folder = top.is_dir() and not top.is_symlink()
    files = (
        (Path(folder, name) for folder, _, names in os.walk(top) for name in names) if is_folder else (top,)
    )
    sizes = {}
    for path in files:
        with suppress(OSError):  # gone since it was listed
            stat = path.lstat()
            sizes[stat.st_dev, stat.st_ino] = stat.st_blocks * 512
    return StoredKind(name, KINDS[name], len(sizes), sum(sizes.values()))


def _remove(path: Path) -> None:
    """A link is removed as such: what it names is not the store's."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


@contextmanager
def _alone() -> Iterator[None]:
    path = settings.home() / IN_USE
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_free = True
        except BlockingIOError:
            is_free = False
        holders = _holders()
        if holders or not is_free:
            who = ", ".join(map(str, holders)) or "of another user"
            raise EnvironmentProblem(
                f"the store {settings.home()} is in use by process {who}", "wait for its end, then again"
            )
        yield
    finally:
        os.close(handle)


def _holders() -> list[int]:
    """Processes, but for this one, that have a file of the store open, mapped, or a folder of it as theirs."""
    top = os.path.realpath(settings.home()) + os.sep
    numbers = (int(place.name) for place in Path("/proc").iterdir() if place.name.isdecimal())
    return sorted(number for number in numbers if number != os.getpid() and _holds(number, top))


def _holds(number: int, top: str) -> bool:
    place = Path(f"/proc/{number}")
    with suppress(OSError):  # gone, or another user's
        maps = (place / "maps").read_text(encoding="utf-8", errors="replace")
        links = [place / "cwd", *(place / "fd").iterdir()]
        return f" {top}" in maps or any(_target(link).startswith(top) for link in links)
    return False


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
