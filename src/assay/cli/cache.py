"""`assay cache show|clear`: shows what is in the store, or removes it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json
from assay.ground.count import size_text

if TYPE_CHECKING:
    from assay.ground.store_contents import StoredKind

HELP = "what lies in Assay's store, and how large it is; clear it. CM's cache: assay show cache"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="show|clear")
    actions.add_parser("show", help="each kind with its size")
    clear = actions.add_parser("clear", help="remove some kinds, or all; what is needed comes back")
    clear.add_argument("kinds", nargs="*", metavar="KIND", help="as `show` names them (default: all)")
    clear.add_argument("--yes", action="store_true", help="do not ask")


def run(args: argparse.Namespace) -> int:
    import json

    from assay.ground import settings, store_contents

    found = store_contents.contents()
    if args.action == "clear":
        store_contents.refuse_unknown(args.kinds)
        found = tuple(kind for kind in found if not args.kinds or kind.name in args.kinds)
        _consent(found, args.yes)
        store_contents.clear([kind.name for kind in found])
    home = str(settings.home())
    if args.json:
        word = "removed" if args.action == "clear" else "kinds"
        say_json(json.dumps({"store": home, word: [dataclasses.asdict(kind) for kind in found]}))
    elif args.action == "clear":
        say(f"{size(found)} removed from {home}")
    else:
        say(table(home, found))
    return 0


def table(home: str, found: Sequence[StoredKind]) -> str:
    lines = [f"  {each.name:<15} {size([each]):>9}  {each.files:>6} files  {each.what}" for each in found]
    return "\n".join([f"{home}: {size(found)}", *lines])


def size(found: Sequence[StoredKind]) -> str:
    return size_text(sum(kind.bytes for kind in found))


def _consent(found: Sequence[StoredKind], assume_yes: bool) -> None:
    """Raises: ConfigError when nothing may be removed."""
    from assay.cli import consent
    from assay.ground.errors import ConfigError

    if assume_yes or not found:
        return
    what = f"to be removed: {size(found)}: {', '.join(kind.name for kind in found)}"
    declined = ConfigError("nothing was removed", "--yes asks nothing")
    consent.confirm(what, "Remove?", "--yes removes it", declined)
