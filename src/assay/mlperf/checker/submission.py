"""A submission tree as a model: walked once, files known by name, type and size, contents read on demand.

Nothing outside the root is ever opened, and no folder is entered through a link. Reading never raises:
what is missing is None, what cannot be read is None with a line in `Tree.faults`.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

from assay.mlperf.checker import log_excerpt
from assay.mlperf.checker.log_excerpt import LogExcerpt
from assay.mlperf.round import Round, RoundWorkload
from assay.mlperf.submission.tree import DIVISIONS, Layout, Place, scenario_name

READ_MAX_BYTES = 64 << 20
"""Nothing larger is read; a submission may not hold a file above 50 MB."""
ANSWERS_MAX_BYTES = 10_240
"""Source: MAX_ACCURACY_LOG_SIZE of the official checkers."""
DEPTH_MAX = 40
SUITES = ("datacenter", "edge", "datacenter,edge", "edge,datacenter")
"""Values of system_type."""


@dataclass(frozen=True)
class Tree:
    """What lies below a root. Keys are POSIX paths relative to it."""

    root: Path
    files: Mapping[str, int]
    """regular file -> size in bytes (of the target, for a link that stays inside the tree)"""
    folders: Mapping[str, tuple[str, ...]]
    """folder -> names in it, sorted; the root is the empty string"""
    broken_links: tuple[str, ...]
    foreign_links: tuple[str, ...]
    """Links to folders or out of the tree: not followed."""
    special: tuple[str, ...]
    """Pipes, sockets, devices, and folders that cannot be listed."""
    faults: dict[str, str] = field(default_factory=dict)
    """file -> why its content could not be used; filled while reading"""

    @cached_property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """(path, name) of every file and folder below a division."""
        starts = tuple(f"{division}/" for division in DIVISIONS)
        paths = (path for path in (*self.folders, *self.files) if path.startswith(starts))
        return tuple((path, path[path.rfind("/") + 1 :]) for path in paths)

    def names(self, folder: str) -> tuple[str, ...]:
        return self.folders.get(folder, ())

    def subfolders(self, folder: str) -> tuple[str, ...]:
        prefix = f"{folder}/" if folder else ""
        return tuple(name for name in self.names(folder) if f"{prefix}{name}" in self.folders)

    def read(self, path: str) -> bytes | None:
        """Content of a regular file of the tree."""
        size = self.files.get(path)
        if size is None:
            return None
        if size > READ_MAX_BYTES:
            self.faults[path] = f"{size:,} bytes, not read"
            return None
        try:
            with open(f"{self.root}/{path}", "rb") as file:  # noqa: PTH123  a Path costs more than the reading
                return file.read()
        except OSError as error:
            self.faults[path] = error.strerror or str(error)
            return None

    def text(self, path: str) -> str | None:
        content = self.read(path)
        return None if content is None else content.decode("utf-8", "replace")

    def json(self, path: str) -> dict[str, Any] | None:
        """A JSON object; anything else is None with a fault."""
        content = self.read(path)
        if content is None:
            return None
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            self.faults[path] = f"not JSON: {error}"[:200]
            return None
        if not isinstance(value, dict):
            self.faults[path] = f"a JSON object is needed, found {type(value).__name__}"
            return None
        return value

    def log(self, path: str) -> LogExcerpt | None:
        content = self.read(path)
        if content is None:
            return None
        log = log_excerpt.parse(content)
        if log.faults:
            self.faults[path] = "; ".join(log.faults)
        return log


def walk(root: Path, submitter: str | None = None) -> Tree:
    """The tree below `root`; with `submitter`, of each division only that submitter's folder."""
    real_root = Path(os.path.realpath(root))
    files: dict[str, int] = {}
    folders: dict[str, tuple[str, ...]] = {}
    broken: list[str] = []
    foreign: list[str] = []
    special: list[str] = []
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        if folder.count("/") >= DEPTH_MAX:
            special.append(folder)
            continue
        try:
            with os.scandir(f"{real_root}/{folder}") as listing:
                entries = sorted(listing, key=_name)
        except OSError:
            special.append(folder)
            continue
        if submitter and folder in DIVISIONS:
            entries = [e for e in entries if e.name == submitter or e.is_file()]
        folders[folder] = tuple(map(_printable, map(_name, entries)))
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if not entry.name.isascii() and entry.name != _printable(entry.name):
                special.append(_printable(path))
            elif entry.is_symlink():
                _sort_link(real_root, path, files, broken, foreign)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif entry.is_file(follow_symlinks=False):
                files[path] = entry.stat(follow_symlinks=False).st_size
            else:
                special.append(path)
    return Tree(
        real_root, files, folders, tuple(sorted(broken)), tuple(sorted(foreign)), tuple(sorted(special))
    )


_name = attrgetter("name")


def _printable(name: str) -> str:
    """A name that can be printed and stored: bytes that are no UTF-8 become question marks."""
    return name if name.isascii() else name.encode("utf-8", "replace").decode("utf-8")


def _sort_link(root: Path, path: str, files: dict[str, int], broken: list[str], foreign: list[str]) -> None:
    target = os.path.realpath(root / path)
    try:
        status = Path(target).stat()
    except (OSError, ValueError):
        broken.append(path)
        return
    if stat.S_ISREG(status.st_mode) and target.startswith(f"{root}{os.sep}"):
        files[path] = status.st_size
    else:
        foreign.append(path)


@dataclass(frozen=True)
class Submitter:
    """One submitter in one division."""

    tree: Tree
    round: Round
    division: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.division}/{self.name}"

    @property
    def is_gated(self) -> bool:
        """Closed and network submissions are held against the targets, open ones are not."""
        return self.division != "open"

    @cached_property
    def model_mapping(self) -> dict[str, Any]:
        return (self.tree.json(f"{self.path}/model_mapping.json") or {}) if self.division == "open" else {}

    def systems(self) -> list[System]:
        return [System(self, name) for name in self.tree.subfolders(f"{self.path}/results")]


@dataclass(frozen=True)
class System:
    submitter: Submitter
    name: str

    @property
    def file(self) -> str:
        return f"{self.submitter.path}/systems/{self.name}.json"

    @cached_property
    def fields(self) -> dict[str, Any] | None:
        return self.submitter.tree.json(self.file)

    @property
    def suite(self) -> str:
        """`datacenter`, `edge` or both; a value that is none of them is S1's affair and read as datacenter."""
        value = str((self.fields or {}).get("system_type"))
        return value if value in SUITES else SUITES[0]

    def benchmarks(self) -> list[Benchmark]:
        folder = f"{self.submitter.path}/results/{self.name}"
        return [Benchmark(self, name) for name in self.submitter.tree.subfolders(folder)]


@dataclass(frozen=True)
class Benchmark:
    """The results of one benchmark on one system."""

    system: System
    name: str

    @property
    def path(self) -> str:
        return f"{self.system.submitter.path}/results/{self.system.name}/{self.name}"

    @cached_property
    def official(self) -> str:
        """Official key: the folder's own name, or in open what model_mapping.json says of it."""
        mapped = self.system.submitter.model_mapping.get(self.name)
        return mapped if isinstance(mapped, str) else self.name

    @property
    def rules(self) -> RoundWorkload | None:
        return self.system.submitter.round.workloads.get(self.official)

    def entries(self) -> list[Entry]:
        return [Entry(self, name) for name in self.system.submitter.tree.subfolders(self.path)]

    def scenarios(self) -> set[str]:
        return {scenario_name(name) for name in self.system.submitter.tree.subfolders(self.path)}


@dataclass(frozen=True)
class Entry:
    """One scenario folder with everything that belongs to it; contents are read once, when asked for."""

    benchmark: Benchmark
    folder: str

    @property
    def system(self) -> System:
        return self.benchmark.system

    @property
    def submitter(self) -> Submitter:
        return self.benchmark.system.submitter

    @property
    def tree(self) -> Tree:
        return self.submitter.tree

    @property
    def round(self) -> Round:
        return self.submitter.round

    @cached_property
    def layout(self) -> Layout:
        return Layout.of(self.round)

    @cached_property
    def place(self) -> Place:
        owner = self.submitter
        return Place(owner.division, owner.name, self.system.name, self.benchmark.name, self.folder)

    @cached_property
    def scenario(self) -> str:
        return scenario_name(self.folder)

    @cached_property
    def path(self) -> str:
        return self.layout.results(self.place)

    @cached_property
    def performance_log(self) -> str:
        return f"{self.layout.performance(self.place)}/mlperf_log_detail.txt"

    @cached_property
    def accuracy_log(self) -> str:
        return f"{self.layout.accuracy(self.place)}/mlperf_log_detail.txt"

    @cached_property
    def accuracy_file(self) -> str:
        return f"{self.layout.accuracy(self.place)}/accuracy.txt"

    @cached_property
    def answers_file(self) -> str:
        return f"{self.layout.accuracy(self.place)}/mlperf_log_accuracy.json"

    @cached_property
    def measurement_file(self) -> str | None:
        """The measurement JSON: `measurements.json`, in old layouts a name that begins with the system's."""
        folder = self.layout.measurements(self.place)
        names = [name for name in self.tree.names(folder) if name.endswith(".json")]
        if not self.layout.is_old:
            return f"{folder}/measurements.json" if "measurements.json" in names else None
        own = [name for name in names if name.startswith(self.system.name)]
        best = [name for name in own if name.endswith(f"_{self.folder}.json")] or own
        return f"{folder}/{best[0]}" if best else None

    @cached_property
    def performance(self) -> LogExcerpt | None:
        return self.tree.log(self.performance_log)

    @cached_property
    def accuracy(self) -> LogExcerpt | None:
        return self.tree.log(self.accuracy_log)

    @cached_property
    def accuracy_text(self) -> str | None:
        return self.tree.text(self.accuracy_file)

    @cached_property
    def kept_answers(self) -> bytes | None:
        """Content of the truncated accuracy log; None when it is missing or not truncated."""
        size = self.tree.files.get(self.answers_file, 0)
        return self.tree.read(self.answers_file) if size <= ANSWERS_MAX_BYTES else None

    @cached_property
    def measurement(self) -> dict[str, Any] | None:
        return self.tree.json(self.measurement_file) if self.measurement_file else None

    @cached_property
    def test06_text(self) -> str | None:
        """verify_accuracy.txt of TEST06."""
        return self.tree.text(f"{self.compliance_folder('TEST06')}/verify_accuracy.txt")

    def compliance_folder(self, test: str) -> str:
        return self.layout.compliance(self.place, test)


def submitters(tree: Tree, round_: Round, only: str | None = None) -> list[Submitter]:
    """Submitters that have results, in stable order."""
    found = []
    for division in DIVISIONS:
        for name in tree.subfolders(division):
            if (only is None or name == only) and f"{division}/{name}/results" in tree.folders:
                found.append(Submitter(tree, round_, division, name))
    return found
