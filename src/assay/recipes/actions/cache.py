"""Actions on the cache: rm, show, prune, verify. Models and datasets of Assay are stored elsewhere."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from assay.ground.count import counted, size_text
from assay.recipes.actions.common import matching, none_to_remove
from assay.recipes.contract.secrets import hidden
from assay.recipes.errors import RecipeFault
from assay.recipes.home.artifacts import Artifacts
from assay.recipes.home.removal import remove_folder
from assay.recipes.home.store import CacheEntry, Store
from assay.recipes.run.context import Answer, Context, Found, Inputs, tag_text, words, yes


def delete(context: Context, inputs: Inputs) -> Answer:
    """Remove entries, and print the size of each. Ask before each one, unless `-f` is given.

    In a new home without repositories an empty result is no error; CM exits with 4 there. Raises: as
    `none_to_remove`.
    """
    inputs = inputs | {"automation": "cache"}
    store = Store(context.index)
    found = matching(context, inputs)
    everything = not any(words(inputs)) and not tag_text(inputs)
    leftovers = [*store.orphans(), *store.failed()] if everything else []
    if not found and not leftovers:
        if everything and not context.index.artifacts("script"):
            context.console.note("assay: nothing in the cache matches")
            return {"return": 0}
        return none_to_remove(
            context, "`assay show cache` lists the entries; 16 is CM's exit code where none matches"
        )
    artifacts = Artifacts(context.index)
    freed = removed = 0
    for artifact in found:
        size = _size_bytes(artifact.path)
        line = f'Deleting {artifact.path} with tags "{",".join(artifact.tags)}" ({size_text(size)}) ...'
        context.console.say(line)
        if yes(context, inputs, "  Are you sure you want to delete this artifact"):
            artifacts.delete(artifact)
            context.console.say("    Deleted!")
            freed, removed = freed + size, removed + 1
    for folder in leftovers:
        size = _size_bytes(folder)
        context.console.say(f"Deleting {folder}, left by a run that ended early ({size_text(size)}) ...")
        remove_folder(folder)
        freed, removed = freed + size, removed + 1
    context.console.say(f"{size_text(freed)} freed" if removed else "nothing removed")
    return {"return": 0}


def show(context: Context, inputs: Inputs) -> Answer:
    """Print tags, folder, version, size and age of each entry."""
    entries = [entry for entry in _entries(context, inputs) if not entry.missing_base()]
    store = Store(context.index)
    for entry in entries:
        plain = sorted(tag for tag in entry.tags if not tag.startswith("_"))
        variations = sorted(tag for tag in entry.tags if tag.startswith("_"))
        context.console.say("")
        context.console.say(f"* Tags: {','.join([*plain, *variations])}")
        context.console.say(f"  Path: {entry.path}")
        if entry.version:
            context.console.say(f"  Version: {entry.version}")
        context.console.say(f"  Size: {size_text(_size_bytes(entry.path))}, made {_age(entry)}")
        if inputs.get("env"):
            for key, value in sorted(store.state(entry)["new_env"].items()):
                context.console.say(f"  {key}={hidden(value, key)}")
    return {"return": 0, "list": [Found(context, entry.artifact) for entry in entries]}


def prune(context: Context, inputs: Inputs) -> Answer:
    """Remove what no run can use: expired and broken entries, leftover files and logs of failed runs."""
    store = Store(context.index)
    now = time.time()
    dead = [
        entry
        for entry in store.entries(tag_text(inputs))
        if entry.expired(now) or "tmp" in entry.tags or (_owned(store, entry) and _unusable(store, entry))
    ]
    logs = [context.home.logs] if context.home.logs.is_dir() else []
    pieces = [*store.orphans(), *store.failed(), *logs]
    artifacts = Artifacts(context.index)
    for entry in dead:
        artifacts.delete(entry.artifact)
        context.console.say(f"Deleted {entry.path}")
    for folder in pieces:
        remove_folder(folder)
        context.console.say(f"Deleted {folder}")
    context.console.say(f"{len(dead) + len(pieces)} pruned")
    return {"return": 0, "deleted": len(dead) + len(pieces)}


def verify(context: Context, inputs: Inputs) -> Answer:
    """Check that each entry can be used: its state can be read, its files and its base exist.

    Raises: RecipeFault (1) when one cannot.
    """
    store = Store(context.index)
    bad = []
    for entry in store.entries(tag_text(inputs)):
        problem = _problem(store, entry) if _owned(store, entry) else ""
        if problem:
            bad.append(entry.artifact.uid)
            context.console.say(f"{entry.path}: {problem}")
    if bad:
        raise RecipeFault(
            counted(len(bad), "broken entry", "broken entries"),
            1,
            f"remove them: rm cache {' '.join(bad)} -f",
        )
    context.console.say("all entries are usable")
    return {"return": 0}


def mark_tmp(context: Context, inputs: Inputs) -> Answer:
    """Give entries the tag `tmp`, so that no run uses them."""
    found = matching(context, inputs | {"automation": "cache"})
    artifacts = Artifacts(context.index)
    for artifact in found:
        artifacts.update(artifact, ["tmp"], {})
    return {"return": 0, "list": [Found(context, artifact) for artifact in found]}


def _owned(store: Store, entry: CacheEntry) -> bool:
    """Whether a run made the entry. What a user added by hand is never removed here."""
    return bool(entry.owner_uid(store.home.dialect.owner_key))


def _unusable(store: Store, entry: CacheEntry) -> str:
    """Why no run can use the entry; empty when one can."""
    if entry.missing_base():
        return f"it depends on {entry.missing_base()}, which is gone"
    try:
        store.state(entry)
    except RecipeFault as fault:
        return fault.message
    return ""


def _problem(store: Store, entry: CacheEntry) -> str:
    if reason := _unusable(store, entry):
        return reason
    inside = str(entry.path)
    gone = [
        f"{key}={value}"
        for key, value in store.state(entry)["new_env"].items()
        if isinstance(value, str) and value.startswith(inside) and not Path(value).exists()
    ]
    return f"it names what is not there: {', '.join(gone)}" if gone else ""


def _entries(context: Context, inputs: Inputs) -> list[CacheEntry]:
    wanted = {str(artifact.path) for artifact in matching(context, inputs | {"automation": "cache"})}
    return [entry for entry in Store(context.index).entries() if str(entry.path) in wanted]


def _age(entry: CacheEntry) -> str:
    seconds = max(0.0, time.time() - entry.path.stat().st_mtime)  # the clock may have been set back
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} seconds ago"


def _size_bytes(folder: Path) -> int:
    """Bytes on disk below a folder; links are not followed."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
    return total
