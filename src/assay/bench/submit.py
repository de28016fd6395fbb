"""The submission of one run folder: its tree, its archive, and the check of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.bench import earlier
from assay.config import Request
from assay.doors.submission import tree_request
from assay.mlperf import workloads
from assay.mlperf.checker import check
from assay.mlperf.checker.check import Report
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.submission.pack import archive_of, pack
from assay.mlperf.submission.write import write


@dataclass(frozen=True)
class PackedTree:
    path: Path
    sha256: str


@dataclass(frozen=True)
class Submitted:
    """The tree, archive and check of a run folder. None = it was not asked for."""

    tree: Path
    archive: PackedTree | None
    report: Report | None


def submit(request: Request, folder: Path) -> Submitted:
    """Write, pack and check what is asked for, in the round and for the submitter asked for.

    Raises: ConfigError for what must not be submitted, EnvironmentProblem when the disk is full.
    """
    config, delivery = request.config, request.delivery
    round_ = workloads.round_of(config.round, config.workload)
    wanted = tree_request(
        config.submission, round_, delivery.default_submitter, allow_fake=delivery.allow_fake
    )
    tree = place_of_tree(request, folder)
    if delivery.clean_submission:
        earlier.remove_tree(tree)
    write([folder], wanted, tree)
    path = archive_of(tree)
    archive = PackedTree(path, pack(tree, path)) if delivery.pack else None
    report = check.check(tree, round_, wanted.submitter) if delivery.check else None
    return Submitted(tree, archive, report)


def place_of_tree(request: Request, folder: Path) -> Path:
    """The tree's folder: as asked, else in the run folder or beside it."""
    run = RunFolder(folder)
    usual = run.tree_beside if request.delivery.is_tree_beside_run else run.tree
    return request.config.submission.out or usual
