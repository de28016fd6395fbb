"""Asks before gigabytes are downloaded: on a terminal with a question; without one, --yes is required."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.ground.errors import ConfigError

if TYPE_CHECKING:
    from assay.bench.fetching import Wanted


def ask(things: Sequence[Wanted], assume_yes: bool) -> None:
    """Returns when everything may be downloaded. Raises: ConfigError with the list of downloads when it may not."""
    if not things or assume_yes:
        return
    needs = " and ".join(map(str, things))
    hint = "--yes fetches it once; or name what you have: " + ", ".join(
        f"--{each.what.replace(' ', '-')} {'DIR' if each.what == 'checkpoint' else 'FILE'}" for each in things
    )
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(f"to be fetched first: {needs}", hint)
    sys.stderr.write(f"to be fetched first: {needs}. Fetch? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConfigError("nothing was fetched", hint)
