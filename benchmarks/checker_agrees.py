"""Assay's checker beside an official one on a published tree: both verdicts, the results, and our errors by rule.

    python benchmarks/checker_agrees.py FOLDER ROUND OFFICIAL

FOLDER is a results repository or a part of it, OFFICIAL the round's submission_checker.py of mlcommons/inference,
run as it is; neither is part of Assay. Prints one JSON object; an error of ours names the rule that explains it.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from assay.mlperf.checker import check, summary
from assay.mlperf.checker.finding import Severity
from assay.mlperf.rounds import round as rounds

Result = tuple[str, ...]
NAMED_BY = ("Organization", "Platform", "Model", "Scenario", "Units")


def results(table: Path) -> dict[Result, float]:
    """What a summary.csv names -> its figure. Power rows are left out: Assay judges performance."""
    with table.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Units"] != "Watts"]
    return {tuple(row[name] for name in NAMED_BY): float(row["Result"]) for row in rows}


def compare(root: Path, round_name: str, official: Path) -> dict[str, object]:
    report = check.check(root, rounds.load(round_name))
    with tempfile.TemporaryDirectory() as scratch:
        ours, theirs = Path(scratch, "ours.csv"), Path(scratch, "theirs.csv")
        ours.write_text(summary.to_csv(report.rows))
        command = [sys.executable, str(official), "--input", str(root), "--version", round_name]
        ran = subprocess.run([*command, "--csv", str(theirs)], cwd=scratch, capture_output=True, text=True)
        mine, official_results = results(ours), results(theirs)
    errors = Counter(f"{f.code} {f.path}" for f in report.findings if f.severity is Severity.ERROR)
    return {
        "clean": {"assay": report.is_clean, "official": ran.returncode == 0},
        "results": {"assay": len(mine), "official": len(official_results)},
        "same_figure": sum(official_results.get(name) == value for name, value in mine.items()),
        "assay_errors": errors,
        "official_errors": [
            line.split("ERROR] ")[1] for line in ran.stderr.splitlines() if "ERROR] " in line
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("round")
    parser.add_argument("official", type=Path)
    args = parser.parse_args()
    print(json.dumps(compare(args.folder.absolute(), args.round, args.official.absolute()), indent=2))


if __name__ == "__main__":
    main()
