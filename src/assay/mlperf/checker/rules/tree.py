"""Rules of the tree as a whole (T): names, sizes, links and folders that a repository must not hold."""

from __future__ import annotations

from collections.abc import Iterator

from assay.mlperf.checker.archive import Archive
from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault, rule
from assay.mlperf.checker.subjects import ARCHIVE, SUBMITTER, SYSTEM, TREE
from assay.mlperf.checker.submission import Submitter, System
from assay.mlperf.checker.tree import FILE_MAX_BYTES, Tree, is_too_large
from assay.mlperf.submission.tree import DIVISIONS

ROOT_FOLDERS = (*DIVISIONS, ".git", ".github", "assets")
CHECKER = "submission checker to v5.1 (check_results_dir)"


@rule(
    "T1",
    of=TREE,
    severity=Severity.WARNING,
    title="the root holds a folder that is no division",
    source=f"{CHECKER}: valid divisions",
    fix="keep closed/, open/ and network/ at the root; move the rest elsewhere",
)
def root_folder(tree: Tree) -> Iterator[Fault]:
    for name in tree.subfolders(""):
        if name not in ROOT_FOLDERS:
            yield Fault(name, "not a division", name, " | ".join(DIVISIONS))


@rule(
    "T2",
    of=TREE,
    title="the root holds a file that is neither .md nor .pdf",
    source=f"{CHECKER}: files outside the division folders",
    fix="remove the file, or move it into a submitter's folder",
)
def root_file(tree: Tree) -> Iterator[Fault]:
    for name in tree.names(""):
        if name in tree.files and not name.endswith((".md", ".pdf")):
            yield Fault(name, "file at the root", name, "*.md or *.pdf only")


@rule(
    "T3",
    of=TREE,
    title="a file lies directly in a division folder",
    source=f"{CHECKER}: files outside the submitter folders",
    fix="move the file into a submitter's folder",
)
def division_file(tree: Tree) -> Iterator[Fault]:
    for division in DIVISIONS:
        for name in tree.names(division):
            if f"{division}/{name}" in tree.files:
                yield Fault(f"{division}/{name}", "file between division and submitter", name, "folders only")


@rule(
    "T4",
    of=TREE,
    title="a link is broken, or leads out of the tree",
    source=f"{CHECKER}: broken symbolic links; a link out of the tree is broken once packed",
    fix="replace the link by what it should lead to",
)
def link(tree: Tree) -> Iterator[Fault]:
    for path in tree.broken_links:
        yield Fault(path, "broken link", "a link without target", "a file")
    for path in tree.foreign_links:
        yield Fault(path, "link out of the tree", "a link that is not followed", "a file of the tree")


@rule(
    "T5",
    of=TREE,
    title="a file is above 50 MB",
    source=f"{CHECKER}: FILE_SIZE_LIMIT_MB",
    fix="truncate accuracy logs (`assay submit` does), leave models and traces out",
)
def file_size(tree: Tree) -> Iterator[Fault]:
    for path, size in tree.files.items():
        if is_too_large(path, size):
            yield Fault(path, "file too large", f"{size:,} bytes", f"at most {FILE_MAX_BYTES:,} bytes")


@rule(
    "T6",
    of=TREE,
    title="a name begins with a dot",
    source=f"{CHECKER}: git unfriendly names",
    fix="remove or rename the file or folder",
)
def dot_name(tree: Tree) -> Iterator[Fault]:
    for path, name in tree.entries:
        if name.startswith("."):
            yield Fault(path, "hidden file or folder", name, "a name that begins with no dot")


@rule(
    "T7",
    of=TREE,
    title="a name holds a blank",
    source=f"{CHECKER}: names with spaces",
    fix="rename the file or folder",
)
def blank_name(tree: Tree) -> Iterator[Fault]:
    for path, name in tree.entries:
        if " " in name:
            yield Fault(path, "blank in a name", name, name.replace(" ", "_"))


@rule(
    "T8",
    of=TREE,
    title="a __pycache__ folder is in the tree",
    source=f"{CHECKER}: __pycache__",
    fix="remove the folder",
)
def bytecode(tree: Tree) -> Iterator[Fault]:
    for path, name in tree.entries:
        if name.endswith("__pycache__") and path in tree.folders:
            yield Fault(path, "Python's bytecode", name, "no __pycache__")


@rule(
    "T9",
    of=TREE,
    title="a folder is empty",
    source=f"{CHECKER}: empty directories",
    fix="remove the folder, or put in what belongs there",
)
def empty_folder(tree: Tree) -> Iterator[Fault]:
    for path, _ in tree.entries:
        if path in tree.folders and not tree.names(path):
            submitter = "/".join(path.split("/")[:2])
            is_read = f"{submitter}/results" in tree.folders  # the checkers pass over any other submitter
            severity = Severity.ERROR if is_read else Severity.WARNING
            yield Fault(path, "empty folder", "no files", "at least one file", severity)


@rule(
    "T10",
    of=SUBMITTER,
    title="a system is described or measured without results",
    source=f"{CHECKER}: all systems have results (gated since 2025-04, so from v5.1)",
    fix="add the results, or remove the system's file or folder",
)
def system_without_results(submitter: Submitter) -> Iterator[Fault]:
    results = set(submitter.tree.subfolders(f"{submitter.path}/results"))
    is_gated = submitter.round.name not in ("v4.0", "v4.1", "v5.0")
    severity = Severity.ERROR if is_gated else Severity.WARNING
    for name in submitter.tree.names(f"{submitter.path}/systems"):
        if name.endswith(".json") and name[: -len(".json")] not in results:
            yield Fault(
                f"{submitter.path}/systems/{name}",
                "system without results",
                name,
                _or_none(results),
                severity,
            )
    for name in submitter.tree.subfolders(f"{submitter.path}/measurements"):
        if name not in results:
            yield Fault(
                f"{submitter.path}/measurements/{name}", "no results", name, _or_none(results), severity
            )


def _or_none(names: set[str]) -> str:
    return "one of: " + ", ".join(sorted(names)) if names else "results of that name"


@rule(
    "T11",
    of=SUBMITTER,
    title="there is no calibration document",
    source=f"{CHECKER}: calibration documentation (closed and network, since v5.1)",
    fix="write calibration.md: how weights were quantised, with which calibration data",
)
def calibration(submitter: Submitter) -> Iterator[Fault]:
    places = [f"{submitter.path}/calibration.md", f"{submitter.path}/documentation/calibration.md"]
    needed = submitter.is_gated and submitter.round.needs_calibration
    if needed and not any(place in submitter.tree.files for place in places):
        yield Fault(submitter.path, "no calibration.md", "neither place has it", " or ".join(places))


@rule(
    "T12",
    of=SYSTEM,
    title="results of a system that nothing describes",
    source=f"{CHECKER}: systems/<system>.json",
    fix="write systems/<system>.json (`assay submit` does, from the probed machine and system.toml)",
)
def described(system: System) -> Iterator[Fault]:
    if system.file not in system.submitter.tree.files:
        yield Fault(system.file, "system is not described", "no such file", "systems/<system>.json")


@rule(
    "T13",
    of=TREE,
    title="something that is no file, folder or link, or that cannot be listed",
    source="a submission is a git repository: it holds files and folders only",
    fix="remove it, rename it in plain characters, or repair its permissions",
)
def special(tree: Tree) -> Iterator[Fault]:
    for path in tree.special:
        yield Fault(
            path, "pipe, socket, device, unreadable folder or name", "not a plain file", "files and folders"
        )


@rule(
    "T14",
    of=SUBMITTER,
    title="model_mapping.json cannot be used",
    source="submission_structure.md: model_mapping.json of the open division",
    fix='write a JSON object {"own benchmark name": "official name"}',
)
def mapping(submitter: Submitter) -> Iterator[Fault]:
    path = f"{submitter.path}/model_mapping.json"
    pairs = submitter.model_mapping
    if path in submitter.tree.faults:
        yield Fault(path, "unreadable", submitter.tree.faults[path], "a JSON object")
    for own, official in pairs.items():
        if not isinstance(official, str):
            yield Fault(path, f"{own} is mapped to no name", repr(official), "an official benchmark's name")


@rule(
    "T16",
    of=ARCHIVE,
    title="an archive holds what a submission must not, or cannot be unpacked",
    source="a submission is plain files; a member that leads out of the archive would overwrite others",
    fix="pack the tree again with `assay submit`",
)
def members(archive: Archive) -> Iterator[Fault]:
    for name, reason in archive.faults:
        yield Fault(
            f"{archive.name}:{name}", f"{name or 'the archive'} {reason}"[:300], reason[:300], "plain files"
        )


@rule(
    "T15",
    of=TREE,
    title="nothing to judge",
    source="submission_structure.md: <division>/<submitter>/results/",
    fix="name the folder that holds closed/, open/ or network/ (and the submitter as its folder is spelt)",
)
def has_results(tree: Tree) -> Iterator[Fault]:
    found = (tree.subfolders(f"{d}/{s}/results") for d in DIVISIONS for s in tree.subfolders(d))
    if not any(found):
        yield Fault(
            "", "no results of any submitter", "no <division>/<submitter>/results", "at least one system"
        )
