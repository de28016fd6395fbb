"""The codes of an audit: what is wrong with a report, by which rule, and what to print instead."""

from __future__ import annotations

from dataclasses import dataclass

from assay.mlperf.checker.rules_text import cell


@dataclass(frozen=True)
class Defect:
    code: str
    title: str
    source: str
    fix: str


DEFECTS = {
    defect.code: defect
    for defect in (
        Defect(
            "R1",
            "a threshold beside the wrong metric",
            source="the round's targets, paired with metrics by name",
            fix="print each metric beside the target of the same name",
        ),
        Defect(
            "R2",
            "an upper limit that is missing or exceeded",
            source="the round's upper limit of the metric (checker: accuracy-upper-limit)",
            fix="print the upper limit too, and say that it is exceeded",
        ),
        Defect(
            "R3",
            "a figure in another unit than its label's, as tokens/s printed as samples/s",
            source="the official result of an LLM is in tokens/s (checker: RESULT_FIELD_BENCHMARK_OVERWRITE)",
            fix="print tokens/s and samples/s, each with its own unit",
        ),
        Defect(
            "R4",
            "the precision that is claimed is not the one that was loaded or asked for",
            source="a report states what ran",
            fix="print the precision of the weights that were loaded",
        ),
        Defect(
            "R5",
            "scores over fewer samples than the set holds, or than the report says",
            source="a score without its number of samples says nothing; closed needs the whole set",
            fix="print n beside each score",
        ),
        Defect(
            "R6",
            "metrics that are absent without a word",
            source="the round gates every one of its metrics",
            fix='print "not measured" for the metrics that are absent',
        ),
        Defect(
            "R7",
            "a superseded dataset file",
            source="inference_policies: a dataset with answers of two tokens or more replaced the file in v5.0",
            fix="use the dataset of a current round, or say that the round is an old one",
        ),
        Defect(
            "R8",
            "the same option more than once",
            source="the same key twice: the last one wins, so a reader of the first is misled",
            fix="give every option once",
        ),
        Defect(
            "R9",
            "options that contradict each other",
            source="a command that contradicts itself cannot be reproduced with confidence",
            fix="keep one of the values",
        ),
        Defect(
            "R10",
            "a figure that is not the log's",
            source="the report against its own logs and accuracy.txt",
            fix="print the figures of the logs",
        ),
        Defect(
            "R11",
            "a run that is no submission",
            source="a short or test run is no submission, whatever its checker says",
            fix="say that the figures are of a test run",
        ),
        Defect(
            "R12",
            "a target that is not met, and not said to be missed",
            source="the report against the round's targets",
            fix="say that the target is not met",
        ),
        Defect(
            "R13",
            "a verdict that its own figures contradict",
            source="a value beside its target says whether the target is met",
            fix="print the verdict that the figures give",
        ),
        Defect(
            "R14",
            "a report that is not judged",
            source="what is not judged is not right: no verdict is given on it",
            fix="give --round and --workload, or audit the report alone",
        ),
        Defect(
            "R15",
            "token ids that were scored with the wrong width",
            source="evaluate-accuracy.py --dtype; reference SUTs log int64 in Offline, CM and MLC score int32",
            fix="score the log again with the type its ids have (`assay score --dtype`)",
        ),
    )
}


def explain(defect: Defect) -> str:
    return f"{defect.code}  {defect.title}\n  source    {defect.source}\n  fix       {defect.fix}"


def document() -> str:
    """The section of docs/rules.md about audits."""
    rows = ("| " + " | ".join(map(cell, (d.code, d.title, d.source, d.fix))) + " |" for d in DEFECTS.values())
    head = [
        "",
        "## Published reports (`assay audit`)",
        "",
        "| code | finding | source | fix |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"
