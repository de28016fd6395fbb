"""Reads the description of an artifact (`_cm.yaml`, `_cm.json`, `meta.yaml`). Each version is parsed once.

PyYAML uses libyaml when it can. The result is stored among the home's working files, with path, size and time of
change. The second run of a recipe therefore parses no YAML.
"""

from __future__ import annotations

import contextlib
import functools
import marshal
import os
import time
from collections.abc import Iterable
from pathlib import Path
from stat import S_ISREG
from typing import Any

from assay.recipes.errors import UNKNOWN_ACTION, RecipeFault
from assay.recipes.values import Values

Description = Values
PRIME = 2**61 - 1  # a Mersenne prime: paths spread evenly over the 61 bits of a file name
# A file changed this recently may change again within one tick of the file system's clock.
UNSETTLED_NS = 50_000_000
Stamp = tuple[int, int]  # time of change in ns, size in bytes


def stamp(path: str) -> Stamp | None:
    """Time of change and size of a file, which change when the file does; None when there is no such file.

    Folders, pipes and devices are none: to read one may never end.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - called a thousand times per command; Path costs ten times more
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if S_ISREG(found.st_mode) else None


def settled(stamps: Iterable[Stamp | None]) -> bool:
    """Whether these files changed so long ago that a further change would show in their stamps."""
    limit = time.time_ns() - UNSETTLED_NS
    return all(found is None or found[0] < limit for found in stamps)


def parse_file(path: Path) -> Description:
    """The dictionary in one JSON or YAML file.

    Raises: RecipeFault (4) when it does not parse, is not a dictionary, or breaks the bounds of `check_bounds`.
    """
    import json

    from assay.recipes.contract.shape import check_bounds

    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        value = json.loads(text) if path.suffix == ".json" else parse_yaml(text)
    except RecursionError as error:
        raise RecipeFault(f"{path} does not parse: it is nested too deep", UNKNOWN_ACTION) from error
    except ValueError as error:
        raise RecipeFault(f"{path} does not parse: {' '.join(str(error).split())}", UNKNOWN_ACTION) from error
    if not isinstance(value, dict):
        raise RecipeFault(f"{path} holds no dictionary", UNKNOWN_ACTION)
    try:
        check_bounds(value)
    except ValueError as error:
        raise RecipeFault(f"{path}: {error}", UNKNOWN_ACTION) from error
    return value


def quoted(text: str) -> str:
    """Quotes any text for YAML. A JSON string is also a YAML string in double quotes."""
    import json

    return json.dumps(text, ensure_ascii=False)


def parse_yaml(text: str) -> Any:
    """Parses YAML 1.1 as PyYAML does. Raises: ValueError."""
    from assay.ground.parsed import yaml_value

    return yaml_value(text, weighed=False)  # `check_bounds` does that, with messages about recipes


class DescriptionStore:
    """Descriptions by folder. Every `load` returns a new dictionary that the caller may change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bytes: dict[str, tuple[list[Stamp | None], bytes]] = {}

    def load(self, artifact: Path, names: tuple[str, ...], *, json_too: bool = False) -> Description:
        """The description in `artifact`: the existing files of `names`, where later ones override earlier ones.

        Parsed YAML is stored on disk; with `json_too`, parsed JSON is stored as well. Raises: RecipeFault (16) when
        no file exists, (4) when one does not parse.
        """
        where = str(artifact)
        stamps = [stamp(f"{where}/{name}") for name in names]
        if not any(stamps):
            raise RecipeFault(f"{artifact} has none of {', '.join(names)}", 16)
        kept = self._bytes.get(where) or self._read_kept(where)
        if kept and kept[0] == stamps:
            self._bytes[where] = kept
            loaded: Description = marshal.loads(kept[1])
            return loaded
        value: Description = {}
        for name, found in zip(names, stamps):
            if found:
                value.update(parse_file(artifact / name))
        from_yaml = any(found and name.endswith(".yaml") for name, found in zip(names, stamps))
        self._keep(where, stamps, value, to_disk=(from_yaml or json_too) and settled(stamps))
        return value

    def _kept_file(self, where: str) -> Path:
        number = int.from_bytes(where.encode(), "little") % PRIME  # a hash that needs no import
        return self._folder / f"{number:x}.bin"

    def _read_kept(self, where: str) -> tuple[list[Stamp | None], bytes] | None:
        try:
            path, stamps, blob = marshal.loads(self._kept_file(where).read_bytes())
        except (OSError, ValueError, EOFError, TypeError):
            return None
        return (stamps, blob) if path == where else None

    def _keep(self, where: str, stamps: list[Stamp | None], value: Description, *, to_disk: bool) -> None:
        try:
            blob = marshal.dumps(value)
        except ValueError:
            return  # marshal cannot store dates and some other values; the file is parsed again next time
        self._bytes[where] = (stamps, blob)
        if to_disk:
            write_cache_file(self._kept_file(where), marshal.dumps((where, stamps, blob)))


def write_cache_file(target: Path, content: bytes) -> None:
    """Replaces a working file as a whole. A home that cannot be written to only costs speed; this raises no error."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(str(target.parent))
        part.write_bytes(content)
        part.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()


@functools.cache
def _remove_left(folder: str) -> None:
    """Removes what killed processes left in a folder. A running process may still be writing its own.

    Once per process: a first look at many recipes writes as many files.
    """
    for left in Path(folder).glob(".*.*.part"):
        owner = left.suffixes[-2][1:]
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            left.unlink(missing_ok=True)
        except (ValueError, IndexError, OverflowError, PermissionError):
            # not one of our files, or another user's process
            continue
