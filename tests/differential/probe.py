"""Writes a copy of a clone whose hooks tell what they are given.

Each recipe's `customize.py` gets a few lines at its end (a recipe without one gets a file of only these). They append
one line of JSON to the file named by `$HOOK_RECORDS` whenever a hook begins: recipe, hook, the names and types of
everything in `i`, and the values of env and state.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Values = dict[str, Any]

PROBE = """

def _recorded(name, hook, given):
    import json
    import os
    import types

    kinds = (bool, int, float, str, dict, list, tuple, type(None))
    lines, open_now = {}, []

    def walk(where, value):
        kind = next((k.__name__ for k in kinds if isinstance(value, k)), "object")
        if kind == "object" and isinstance(value, types.ModuleType):
            kind = "module"
        lines[where] = sorted({*lines.get(where, []), kind})
        if id(value) in open_now or len(open_now) > 12:
            return
        open_now.append(id(value))
        if isinstance(value, dict):
            for key, item in value.items():
                walk(where + "." + str(key), item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                walk(where + "[]", item)
        open_now.pop()

    def plain(value, depth=0):
        if depth > 12 or isinstance(value, types.ModuleType):
            return "..."
        if isinstance(value, dict):
            return {str(k): plain(v, depth + 1) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(v, depth + 1) for v in value]
        return value if isinstance(value, kinds) else "object"

    walk("i", given)
    record = {
        "recipe": os.path.basename(os.path.dirname(os.path.abspath(__file__))),
        "hook": name,
        "given": lines,
        "env": plain(given["env"]),
        "state": plain(given.get("state", {})),
    }
    with open(os.environ["HOOK_RECORDS"], "a") as file:
        file.write(json.dumps(record) + "\\n")


def _recording(name, hook):
    def recording(i):
        _recorded(name, hook, i)
        return hook(i)

    return recording


def _absent(i):
    return {"return": 0}


for _name in ("preprocess", "postprocess", "detect_version", "predeps"):
    if _name in globals():
        globals()[_name] = _recording(_name, globals()[_name])
    elif _name in ("preprocess", "postprocess"):
        globals()[_name] = _recording(_name, _absent)
"""


def write_probed(clone: Path, target: Path) -> None:
    """Copy a clone, its hooks recording what they are given."""
    shutil.copytree(clone, target, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    for description in ("_cm.yaml", "_cm.json", "meta.yaml"):
        for path in target.glob(f"script/*/{description}"):
            hooks = path.with_name("customize.py")
            text = hooks.read_text() if hooks.exists() else ""
            if "_recorded" not in text:
                hooks.write_text(text + PROBE)


@dataclass(frozen=True)
class GivenToHook:
    """What one hook was given: the types by their place in `i`, and the values of env and state."""

    recipe: str
    hook: str
    given: dict[str, list[str]]
    env: Values
    state: Values


def read_records(text: str) -> list[GivenToHook]:
    """The records of one command, in their order."""
    return [GivenToHook(**json.loads(line)) for line in text.splitlines()]


def hook_differences(
    theirs: list[GivenToHook], ours: list[GivenToHook], stable: Callable[[Any], Any]
) -> list[str]:
    """In what the hooks of two runs differ: their order, the names and types they are given, the values."""
    order, own = ([(given.recipe, given.hook) for given in listed] for listed in (theirs, ours))
    found = []
    if order != own:
        first = next((a, b) for a, b in zip([*order, "end"], [*own, "end"]) if a != b)
        found.append(f"hooks: {len(order)} and {len(own)}, first difference {first}")
    for cm, us in zip(theirs, ours):
        if (cm.recipe, cm.hook) != (us.recipe, us.hook):
            break
        where = f"{cm.hook} of {cm.recipe}"
        places = [
            place for place in sorted({*cm.given, *us.given}) if cm.given.get(place) != us.given.get(place)
        ]
        found += [
            f"{where}: {place} cm {cm.given.get(place)} ours {us.given.get(place)}"
            for place in places
            if not any(place.startswith((f"{other}.", f"{other}[")) for other in places)
            and not is_ours(place)
        ]
        for part in ("env", "state"):
            a, b = stable(getattr(cm, part)), stable(getattr(us, part))
            keys = [key for key in sorted({*a, *b}) if a.get(key) != b.get(key)]
            found += [
                f"{where}: {part} {key} cm {a.get(key)!r:.160} ours {b.get(key)!r:.160}" for key in keys
            ]
    return found


def is_ours(place: str) -> bool:
    """Is this there because of `--user_python`, which only our command line has?"""
    return place.endswith(".input.user_python")
