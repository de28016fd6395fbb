"""Assay's checker beside the published results of a round: verdict and figure of each language model's result.

    python benchmarks/published_results.py FOLDER ROUND SUMMARY [--json FILE]

FOLDER is a results repository (mlcommons/inference_results_ROUND) or a part of it, SUMMARY its summary_results.json:
what the official checker passed. Prints a Markdown table with a line for each benchmark and scenario, then every
result on which the two differ, with our rules that say so. What the tree does not hold is counted, not judged.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assay.mlperf.checker import check
from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.summary import Row
from assay.mlperf.rounds import round as rounds


@dataclass(frozen=True)
class Compared:
    """One published result beside ours of the same folder."""

    place: str
    benchmark: str
    scenario: str
    official: float
    official_unit: str
    ours: float | None
    our_unit: str
    in_tree: bool
    rules: tuple[str, ...]
    """Our errors in that result: `C1 path: found, expected`."""

    @property
    def same_figure(self) -> bool:
        return self.ours is not None and abs(self.ours - self.official) <= 1e-5 * abs(self.official)

    @property
    def same_unit(self) -> bool:
        return self.our_unit == self.official_unit

    @property
    def difference(self) -> str:
        """Empty where both say the same."""
        parts = [] if self.same_figure else [f"figure {self.ours} against {self.official}"]
        parts += [] if self.same_unit else [f"unit {self.our_unit} against {self.official_unit}"]
        return "; ".join((*parts, *self.rules))


def compare(root: Path, round_name: str, published: Iterable[dict[str, Any]]) -> list[Compared]:
    """Every published result of a benchmark whose rules the round holds."""
    round_ = rounds.load(round_name)
    report = check.check(root, round_)
    rows = {row.location.casefold(): row for row in report.rows}
    errors: dict[str, list[str]] = defaultdict(list)
    for finding in report.findings:
        if finding.severity is Severity.ERROR:
            said = f"{finding.code} {finding.message}: {finding.found}, expected {finding.expected}"
            errors[_key(finding.path)].append(said)
    return [
        _compared(each, rows.get(each["Location"].casefold()), errors)
        for each in published
        if each["Model"] in round_.workloads
    ]


def _compared(official: dict[str, Any], row: Row | None, errors: dict[str, list[str]]) -> Compared:
    return Compared(
        place=official["Location"],
        benchmark=official["Model"],
        scenario=official["Scenario"],
        official=float(official["Performance_Result"]),
        official_unit=official["Performance_Units"],
        ours=row.result if row is not None else None,
        our_unit=row.units if row is not None else "",
        in_tree=row is not None,
        rules=tuple(errors[_key(official["Location"])]),
    )


def _key(path: str) -> str:
    """division/submitter/system/benchmark/scenario, for a path below results/, compliance/ or measurements/."""
    parts = path.casefold().split("/")
    return "/".join((*parts[:2], *parts[3:6]))


def table(results: list[Compared]) -> str:
    lines = [
        "| benchmark | scenario | published | in the tree | same figure | same unit | no error of ours |",
        "|---|---|---|---|---|---|---|",
    ]
    kinds: dict[tuple[str, str], list[Compared]] = defaultdict(list)
    for each in results:
        kinds[each.benchmark, each.scenario].append(each)
    for (benchmark, scenario), all_ in sorted(kinds.items()):
        held = [each for each in all_ if each.in_tree]
        counts = (
            len(all_),
            len(held),
            sum(each.same_figure for each in held),
            sum(each.same_unit for each in held),
            sum(not each.rules for each in held),
        )
        lines.append(f"| {benchmark} | {scenario} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("round")
    parser.add_argument("summary", type=Path)
    parser.add_argument("--json", type=Path, help="every compared result, as JSON")
    args = parser.parse_args()
    results = compare(args.folder.absolute(), args.round, json.loads(args.summary.read_text()))
    print(table(results))
    differing = [each for each in results if each.in_tree and each.difference]
    by_rule = Counter(rule.split(":")[0] for each in differing for rule in each.rules)
    print(f"\n{len(differing)} of {len(results)} differ; our errors by rule: {dict(by_rule)}\n")
    for each in differing:
        print(f"- {each.place}: {each.difference}")
    if args.json is not None:
        args.json.write_text(json.dumps([asdict(each) for each in results], indent=1))


if __name__ == "__main__":
    main()
