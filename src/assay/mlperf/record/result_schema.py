"""The versions of result.json: how a record of an older one becomes a record of the next. docs/result.md lists them.

Plain JSON values in and out; each step knows its own two versions and nothing of today's classes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.ground.errors import ArtifactError

SCHEMA_VERSION = 2
Record = dict[str, Any]


def migrated(record: Any, path: Path) -> Record:
    """The record in the present version; `path` names it in messages.

    Raises: ArtifactError for a newer version, ValueError when it is no record.
    """
    version = record.get("schema_version") if isinstance(record, dict) else None
    if type(version) is not int or version < 1:
        raise ValueError("it has no schema_version")
    if version > SCHEMA_VERSION:
        raise ArtifactError(
            f"{path} has schema version {version}, this Assay reads {SCHEMA_VERSION} and older",
            f"it was written by Assay {record.get('assay', 'of a later release')}: that one or a newer one reads it",
        )
    while version < SCHEMA_VERSION:
        try:
            record = {**STEPS[version](record), "schema_version": version + 1}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"it is no record of schema version {version}: {error!r}") from error
        version += 1
    return dict(record)


def _from_1(record: Record) -> Record:
    """What was empty is null; a source has a field of its own; notes of the SUT are no details."""
    return {
        **record,
        "asked": _asked_from_1(record["asked"]),
        "used": _used_from_1(record["used"]) if record["used"] else None,
        "model": record.get("model") or None,
    }


def _asked_from_1(asked: Record) -> Record:
    """Schema 1 wrote a source (`hf:OWNER/NAME`, an address) where its path would stand."""
    paths = dict(asked["paths"])
    for name in ("checkpoint", "dataset"):
        given = paths.get(name)
        if given is not None and (given.startswith("hf:") or "://" in given):
            paths |= {name: None, f"{name}_source": given}
    return {**asked, "paths": paths}


def _used_from_1(used: Record) -> Record:
    details = dict(used["details"])
    return {**used, "notes": details.pop("notes", []), "details": details}


STEPS: dict[int, Callable[[Record], Record]] = {1: _from_1}
