"""Figures as words: the one place where a number gets its digits, its unit and its n."""

from __future__ import annotations

from assay.mlperf.result import Figure, ModeResult, RunResult, ScoredMetric

NOT_MEASURED = "not measured"

TITLES = {
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "gsm8k": "GSM8K accuracy",
    "mbxp": "MBXP pass@1",
    "tokens_per_sample": "Tokens per sample",
    "samples_per_s": "Samples per second",
    "tokens_per_s": "Tokens per second",
}


def title(metric: str) -> str:
    return TITLES.get(metric, metric.replace("_", " "))


def number(value: float) -> str:
    """Five significant digits, as the rules ask of accuracy; never in exponent form for usual sizes."""
    if value == 0 or 1e-4 <= abs(value) < 1e7:
        text = f"{value:.5g}"
        return text if "e" not in text else f"{value:.0f}"
    return f"{value:.4e}"


def value(score: ScoredMetric) -> str:
    """`45.49 % (n = 300, 95 %: 44.1 to 46.9)`, or why there is none."""
    if score.value is None:
        return f"{NOT_MEASURED}: {score.reason}" if score.reason else NOT_MEASURED
    about = f"n = {score.n}"
    if score.interval is not None:
        about += f", 95 %: {number(score.interval[0])} to {number(score.interval[1])}"
    return f"{number(score.value)} {score.unit} ({about})".replace("  ", " ")


def gate(score: ScoredMetric) -> str:
    """`>= 45.143`, `130.36 to 160.49`, or that there is none."""
    if score.low is None and score.high is None:
        return "no target"
    if score.high is None:
        return f">= {score.low:.8g}"
    if score.low is None:
        return f"<= {score.high:.8g}"
    return f"{score.low:.8g} to {score.high:.8g}"


def verdict(score: ScoredMetric, judged: bool) -> str:
    """What may be said of a score. `judged`: the run was over the whole set that the target speaks of."""
    if score.met is None:
        return "not graded" if score.ungraded else "not judged"
    if not judged:
        return "inside, over a part of the set" if score.met else "outside, over a part of the set"
    return "met" if score.met else "MISSED"


def figure(figure: Figure | None) -> str:
    return f"{number(figure.value)} {figure.unit}" if figure else NOT_MEASURED


def validity(result: RunResult, run: ModeResult) -> str:
    """LoadGen's word on a performance run, and what it was asked to judge by."""
    said = f"LoadGen says {run.validity or 'nothing'}"
    if run.invalid_because:
        said += f": {'; '.join(run.invalid_because)}"
    style = result.asked.get("style")
    return (
        said
        if style in (None, "valid")
        else f"{said} (by the settings of a {style}-style run, not the round's)"
    )


def standing(result: RunResult) -> str:
    """The first thing a reader must know of a result."""
    words = ["unverified: not an MLCommons result"]
    if result.is_fake:
        words.insert(0, "FAKE: the answers were not computed by a model")
    if result.status != "COMPLETE":
        words.insert(0, f"{result.status}: {result.reason}")
    return "; ".join(words)
