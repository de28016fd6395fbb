"""Asks before gigabytes are downloaded or removed: on a terminal; without one, --yes is required."""

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
    confirm(f"to be fetched first: {needs}", "Fetch?", hint, ConfigError("nothing was fetched", hint))


def confirm(what: str, question: str, hint: str, declined: ConfigError) -> None:
    """Returns when the user says yes. Raises: `declined` for a no; ConfigError without a terminal to ask on."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(what, hint)
    sys.stderr.write(f"{what}. {question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise declined
