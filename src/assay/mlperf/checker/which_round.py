"""Which round a tree belongs to, where nobody says it: what its logs, names and folders agree with."""

from __future__ import annotations

from assay.mlperf.checker.submission import Entry, Submitter, submitters
from assay.mlperf.checker.tree import Tree
from assay.mlperf.rounds import round as rounds
from assay.mlperf.rounds.round import Round
from assay.mlperf.submission.tree import ENDPOINTS_SUMMARY

OLD_FOLDERS = ("measurements", "compliance")
"""Beside `results` in the old layout."""


def round_of(tree: Tree, submitter: str | None = None) -> Round:
    """The round that most of the tree agrees with; of several, the newest.

    The seeds of its first log count most: each round has its own. Then the benchmarks that the round holds, the layout
    of its folders, and artefacts of MLPerf Endpoints. Rounds of a user's own count only where no other agrees as well.
    """
    official = rounds.official_names()
    own = [name for name in rounds.names() if name not in official]
    ordered = [rounds.load(name) for name in (*reversed(official), *reversed(own))]
    return max(ordered, key=lambda round_: _agreement(tree, round_, submitter))


def _agreement(tree: Tree, round_: Round, submitter: str | None) -> tuple[float, ...]:
    owners = submitters(tree, round_, submitter)
    benchmarks = [each for owner in owners for system in owner.systems() for each in system.benchmarks()]
    is_endpoints = any(path.endswith(f"/{ENDPOINTS_SUMMARY}") for path in tree.files)
    first = next((entry for each in benchmarks for entry in each.entries()), None)
    return (
        first is not None and _has_its_seeds(first),
        sum(each.official in round_.workloads for each in benchmarks),
        any(_is_old(owner) for owner in owners) == (round_.layout == "old"),
        not is_endpoints or bool(round_.endpoints),
    )


def _is_old(owner: Submitter) -> bool:
    return any(f"{owner.path}/{name}" in owner.tree.folders for name in OLD_FOLDERS)


def _has_its_seeds(entry: Entry) -> bool:
    log, seeds = entry.performance, entry.round.seeds
    return log is not None and log.values.get("effective_schedule_rng_seed") == seeds.schedule
