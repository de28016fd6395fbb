"""One self-contained page of a search: its bracket, its probes with why each was made, and the official runs."""

from __future__ import annotations

from pathlib import Path

from assay.bench.tune_record import Tuned
from assay.bench.tune_search import Tried, bracket
from assay.ground.count import counted
from assay.report import page, plot
from assay.report.markup import Markup, element, table
from assay.report.plot import Curve, Plot, Spot
from assay.report.words import four_digits


def render(tuned: Tuned) -> str:
    drawn = element("section", element("div", plot.render(narrowing(tuned.probes)), class_="plots"))
    article = element("article", verdict(tuned), drawn, probes(tuned), official(tuned))
    return page.document(f"tune of {workload(tuned)}", article)


def workload(tuned: Tuned) -> str:
    named = (fact.partition("=") for fact in tuned.facts)
    return next((value for name, _, value in named if name == "workload"), "a workload")


def verdict(tuned: Tuned) -> Markup:
    """What was found, on which system."""
    if tuned.valid is not None:
        said, is_good = f"VALID at {tuned.valid.target_qps:g} samples/s", True
    elif tuned.official:
        said, is_good = f"no official run of {len(tuned.official)} was VALID", False
    elif tuned.low is not None:
        said, is_good = f"{tuned.low:g} samples/s pass; no official run was made", True
    else:
        said, is_good = ("no rate passes" if tuned.reason else "the search has not ended"), False
    seconds = sum(each.seconds for each in tuned.probes)
    facts: list[tuple[str, object]] = [
        ("standing", "unverified: not an MLCommons result"),
        ("scenario", f"{tuned.scenario}, an official run of at least {tuned.duration_s:g} s"),
        ("limits", ", ".join(f"{name.removesuffix('_ms')} {ms:g} ms" for name, ms in tuned.limits.items())),
        ("full load", "-" if tuned.full_rate is None else f"{four_digits(tuned.full_rate)} samples/s"),
        ("began at", "-" if tuned.guess is None else f"{four_digits(tuned.guess)}: {tuned.guess_from}"),
        (
            "probes",
            f"{counted(len(tuned.probes), 'probe')} in {seconds:.0f} s{tuned.reason and f'; {tuned.reason}'}",
        ),
        ("holds for", ", ".join(fact.replace("=", " ", 1) for fact in tuned.facts)),
        *(("note", note) for note in tuned.notes),
    ]
    is_good = is_good and not tuned.is_fake
    mark = element("p", f"{tuned.mark}{said}", class_=f"verdict {'good' if is_good else 'bad'}")
    return element("section", element("h1", f"Tune of {workload(tuned)}"), mark, page.pairs(facts))


def probes(tuned: Tuned) -> Markup:
    heads = (
        "probe",
        "samples/s",
        "verdict",
        "late",
        "allowed",
        "answered",
        "of",
        "s",
        "why this rate",
        "why so",
    )
    rows: list[tuple[object, ...]] = [
        (
            number,
            f"{each.target_qps:g}",
            "PASS" if each.passed else "FAIL",
            max(each.late_ttft, each.late_tpot),
            each.allowed,
            each.answered,
            each.final,
            f"{each.seconds:.0f}",
            each.reason,
            each.outcome,
        )
        for number, each in enumerate(tuned.probes, 1)
    ]
    return element("section", element("h2", "Probes"), table(heads, rows))


def narrowing(tried: tuple[Tried, ...]) -> Plot:
    """Each probe's rate, and both ends of the bracket after it."""
    ends = [bracket(tried[: count + 1]) for count in range(len(tried))]
    low = [(float(at), end) for at, (end, _) in enumerate(ends, 1) if end is not None]
    high = [(float(at), end) for at, (_, end) in enumerate(ends, 1) if end is not None]
    return Plot(
        "Bracket",
        "probe",
        "samples/s",
        (Curve("highest that passed", low), Curve("lowest that failed", high)),
        spots=tuple(
            Spot(float(at), each.target_qps, "PASS" if each.passed else "FAIL", each.passed, not each.passed)
            for at, each in enumerate(tried, 1)
        ),
        counts_x=True,
    )


def official(tuned: Tuned) -> Markup:
    if not tuned.official:
        return Markup("")
    rows: list[tuple[object, ...]] = [
        (f"{each.target_qps:g}", each.validity, each.late, each.allowed, Path(each.folder).name)
        for each in tuned.official
    ]
    heads = ("samples/s", "LoadGen says", "late", "allowed", "folder")
    return element("section", element("h2", "Official runs"), table(heads, rows))
