"""Subjects of rules taken from a good tree, with one part changed: no file is written again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.mlperf.checker import subjects
from assay.mlperf.checker.rule import Fault
from assay.mlperf.checker.subjects import DescribedSystem, JudgedRun, ScoredEntry
from assay.mlperf.checker.submission import Benchmark, Entry, System, submitters
from assay.mlperf.checker.tree import Tree
from assay.mlperf.checker.walk import walk
from assay.mlperf.rounds import round as rounds
from tests.mlperf import run_folder
from tests.mlperf.checker.good_tree import GoodTree

ROOT = Tree(Path("/nowhere"), {}, {"": ()}, (), (), ())


def listed(*paths: str, sizes: int = 1) -> Tree:
    """A tree of these files; a path that ends in a slash is an empty folder."""
    files = {path: sizes for path in paths if not path.endswith("/")}
    folders: dict[str, set[str]] = {"": set()}
    for path in paths:
        parts = path.rstrip("/").split("/")
        for depth in range(len(parts)):
            folders.setdefault("/".join(parts[:depth]), set()).add(parts[depth])
        if path.endswith("/"):
            folders.setdefault(path.rstrip("/"), set())
    return replace(ROOT, files=files, folders={f: tuple(sorted(names)) for f, names in folders.items()})


class Parts:
    """The parts of a good tree."""

    def __init__(
        self,
        folder: Path,
        round_name: str = "v5.1",
        division: str = "closed",
        workload: str = run_folder.MIXTRAL,
    ) -> None:
        self.good = GoodTree.make(folder, round_name, division, workload)
        self.tree = walk(self.good.root)
        (self.submitter,) = submitters(self.tree, rounds.load(round_name))
        self.system: System = self.submitter.systems()[0]
        (self.benchmark,) = self.system.benchmarks()

    def entry(self, scenario: str = "Offline") -> Entry:
        return next(each for each in self.benchmark.entries() if each.folder == scenario)

    def changed(self, *lost: str, sizes: Mapping[str, int] = {}) -> Benchmark:
        """The benchmark in the same tree without these files and folders, and with these, of so many bytes."""
        gone = tuple(f"{path}/" for path in lost)
        files = {p: n for p, n in self.tree.files.items() if not f"{p}/".startswith(gone)} | dict(sizes)
        tree = replace(self.tree, files=files, folders=listed(*files).folders, faults={})
        (submitter,) = submitters(tree, self.submitter.round)
        (benchmark,) = submitter.systems()[0].benchmarks()
        return benchmark

    def changed_entry(self, *lost: str, scenario: str = "Offline", sizes: Mapping[str, int] = {}) -> Entry:
        """As `changed`, a scenario of it."""
        entries = self.changed(*lost, sizes=sizes).entries()
        return next(each for each in entries if each.folder == scenario)

    def run(self, scenario: str = "Offline", *, accuracy: bool = False, **changes: Any) -> JudgedRun:
        """A run whose log has these values, `__` in a key standing for a point; None removes a key."""
        scope = subjects.ACCURACY if accuracy else subjects.PERFORMANCE
        found = scope.of(self.entry(scenario))
        assert found is not None
        changed = {name.replace("__", "."): value for name, value in changes.items()}
        values = {
            k: v for k, v in {**found.log.values, **changed}.items() if v is not None or k not in changed
        }
        return replace(found, log=replace(found.log, values=values))

    def scored(self, metric: str, value: float | None) -> ScoredEntry:
        found = subjects.SCORED.of(self.entry())
        assert found is not None
        lines = [line for line in found.text.replace(",", "\n").splitlines() if f"'{metric}'" not in line]
        lines += [f"'{metric}': {value}"] if value is not None else []
        return replace(found, text="\n".join(lines))

    def described(self, **changes: Any) -> DescribedSystem:
        """The system with these fields; None removes one."""
        found = subjects.DESCRIBED.of(self.system)
        assert found is not None
        fields = {k: v for k, v in {**found.fields, **changes}.items() if v is not None}
        return replace(found, fields=fields)


def only(faults: Iterator[Fault]) -> Fault:
    (found,) = faults
    return found
