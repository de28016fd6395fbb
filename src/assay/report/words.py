"""Figures as words: the one place where a number gets its digits, its unit and its n."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from assay.ground import count
from assay.mlperf import workloads
from assay.mlperf.record.result import EnergyUsed, Figure, ModeResult, RunResult, ScoredMetric, Status
from assay.mlperf.rounds import round as rounds
from assay.mlperf.run import target_rate
from assay.mlperf.scoring import interval

NOT_MEASURED = "not measured"
LATENCIES = {"ttft_p99": "p99 first token", "tpot_p99": "p99 per output token"}

FIGURE_TITLES = {
    "samples_per_s": "Samples per second",
    "tokens_per_s": "Tokens per second",
}

number = count.number  # what is not a report counts rates, too


def titles() -> dict[str, str]:
    """Metric or figure -> what reports call it."""
    return {**workloads.titles(), **FIGURE_TITLES}


def title(metric: str) -> str:
    return titles().get(metric, metric.replace("_", " "))


def four_digits(value: float) -> str:
    """Four significant digits, in the form of `number`: for tables, beside a record that has them all."""
    return number(float(f"{value:.4g}"))


def value(score: ScoredMetric) -> str:
    """`45.49 % (n = 300, 95 %: 44.1 to 46.9)`, or why there is none."""
    if score.value is None:
        return f"{NOT_MEASURED}: {score.reason}" if score.reason else NOT_MEASURED
    return f"{number(score.value)} {score.unit} ({about(score)})".replace("  ", " ")


def about(score: ScoredMetric, digits: Callable[[float], str] = number) -> str:
    """What a score rests on: `n = 300, 95 %: 44.1 to 46.9`."""
    low, high = score.interval or (0.0, 0.0)
    if low < high:
        return f"n = {score.n}, 95 %: {digits(low)} to {digits(high)}"
    # An older record has an interval of width 0 where all are equal.
    why = "too few for an interval" if 0 < score.n < interval.LEAST else score.reason
    return ", ".join(filter(None, (f"n = {score.n}", interval.ALL_EQUAL if score.interval else why)))


def short(value: float) -> str:
    """Three significant digits: more say nothing of an interval."""
    return f"{value:.3g}" if abs(value) < 999.5 else number(value)


def used(result: RunResult) -> str:
    """`engine, bfloat16 weights, batch 64, cpu, assay 0.1.0 (native AVX-512 kernels)`, without what is not known."""
    if (used := result.used) is None:
        return "nothing: the SUT was not loaded"
    words = {
        used.sut: used.sut,
        used.precision: f"{used.precision} weights",
        str(used.batch or ""): f"batch {used.batch}",
        used.device: used.device,
        used.backend: used.backend,
    }
    return ", ".join(said for known, said in words.items() if known not in ("", "none"))


def gate(score: ScoredMetric) -> str:
    """`>= 45.143`, `130.36 to 160.49`, or that there is none."""
    if score.low is None and score.high is None:
        return "no target"
    if score.high is None:
        return f">= {score.low:.8g}"
    if score.low is None:
        return f"<= {score.high:.8g}"
    return f"{score.low:.8g} to {score.high:.8g}"


def target(score: ScoredMetric) -> str:
    """`target >= 45.143`, or that there is none."""
    return gate(score) if score.low is score.high is None else f"target {gate(score)}"


def verdict(score: ScoredMetric, judged: bool) -> str:
    """What may be said of a score. `judged`: the run was over the whole set that the target speaks of."""
    if score.met is None:
        return "not graded" if score.ungraded else "not judged"
    if not judged:
        return "inside (part of the set)" if score.met else "outside (part of the set)"
    return "met" if score.met else "MISSED"


def figure(figure: Figure | None) -> str:
    return f"{number(figure.value)} {figure.unit}" if figure else NOT_MEASURED


def latencies(run: ModeResult) -> Iterator[tuple[str, str]]:
    """(`p99 first token`, `9525.3 ms (limit 2000 ms: exceeded)`) of each latency that a Server run is judged by."""
    for metric, label in LATENCIES.items():
        found, limit = run.figure(metric), run.limits_ms.get(metric)
        if found is not None or limit is not None:
            is_over = found is not None and limit is not None and found.value > limit
            allowed = "" if limit is None else f" (limit {number(limit)} ms{': exceeded' if is_over else ''})"
            yield label, figure(found) + allowed


def energy(used: EnergyUsed) -> str:
    """`5120 J over 60 s (processor, memory): 0.42 J/token, 85.3 W`, or why there is no figure."""
    if used.joules is None or used.watts is None:
        return f"{NOT_MEASURED}: {used.why_not}"
    each = "" if used.joules_per_token is None else f"{number(used.joules_per_token)} J/token, "
    covers = ", ".join(used.covers)
    return f"{number(used.joules)} J over {number(used.seconds)} s ({covers}): {each}{short(used.watts)} W"


def told_late(run: ModeResult) -> str:
    """What of LoadGen's time to first token is the client's own; empty where the run does not tell, and of an Offline
    run, which has no such time."""
    late = run.told_late_ms
    if not run.scenario.reports_first_tokens or not {"p50", "p99", "max"} <= late.keys():
        return ""
    p50, p99, most = (number(late[name]) for name in ("p50", "p99", "max"))
    return (
        f"LoadGen was told {p50} ms (p50), {p99} ms (p99), at most {most} ms after the bytes had arrived: "
        f"its TTFT holds up to {p99} ms (p99) of the client's own"
    )


def validity(result: RunResult, run: ModeResult) -> str:
    """LoadGen's word on a performance run, and what it was asked to judge by."""
    if run.faults:
        return f"INVALID, whatever LoadGen says: {'; '.join(run.faults)}"
    if result.foreign_tool and not run.validity:
        return f"{result.foreign_tool} gives no verdict"
    said = f"LoadGen says {run.validity or 'nothing'}"
    if run.invalid_because:
        said += f": {'; '.join(run.invalid_because)}"
    if result.round not in rounds.names():  # imported: nobody knows by which rules it was made
        return said
    asked_ms, round_ms = run.setting("min_duration_ms"), rounds.load(result.round).min_duration_ms
    if asked_ms is None or asked_ms >= round_ms:
        return said
    asked = f"over at least {asked_ms / 1000:g} s" if asked_ms else "without a minimum duration"
    return f"{said} ({asked}; round {result.round} demands {round_ms / 1000:g} s)"


def advice(run: ModeResult) -> str:
    """The options that would mend an INVALID run; empty where none are known."""
    target, seconds = target_rate.better(run), target_rate.longer(run)
    options = [f"--target-qps {target:g}"] if target is not None else []
    return " ".join([*options, f"--min-duration {seconds}s"] if seconds is not None else options)


def notes(result: RunResult) -> tuple[str, ...]:
    """What a reader must know of the run, and what its SUT says of itself: native kernels that could not be had."""
    return (*result.notes, *(result.used.notes if result.used else ()))


def standing(result: RunResult) -> str:
    """The first thing a reader must know of a result."""
    words = ["unverified: not an MLCommons result"]
    if result.performance_only:
        words.insert(0, f"PERFORMANCE ONLY ({result.performance_only})")
    if result.is_fake:
        words.insert(0, "FAKE: the answers were not computed by a model")
    if result.status is not Status.COMPLETE:
        words.insert(0, f"{result.status}: {result.reason}")
    return "; ".join(words)
