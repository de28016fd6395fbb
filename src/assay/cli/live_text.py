"""The text of the live view of a benchmark: lines for a given width, without a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from assay.cli.progress import duration
from assay.ground.printable import one_line
from assay.mlperf.sut.progress import LiveFigures, Progress

LEAST_BAR, MOST_BAR = 8, 40
"""Least and most columns of a bar."""
LABEL = 16
"""Columns of the names of figures."""
RED, PLAIN = "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True)
class Look:
    """The abilities of the terminal."""

    columns: int = 80
    has_colour: bool = False
    has_blocks: bool = True
    """Whether its encoding has the characters of a bar."""


@dataclass(frozen=True)
class ViewLine:
    """A line of text and its colour."""

    text: str
    colour: str = ""

    def shown(self, look: Look) -> str:
        """The text for the terminal, cut to its width. A line that wraps could not be rewritten."""
        text = self.text if len(self.text) < look.columns else self.text[: max(0, look.columns - 2)] + "…"
        text = text if look.has_blocks else text.encode("ascii", "replace").decode()
        return f"{self.colour}{text}{PLAIN}" if look.has_colour and self.colour else text


def lines(progress: Progress, look: Look) -> list[ViewLine]:
    """The bar of a phase, then the known figures of a LoadGen run."""
    found = [bar_line(progress, look)]
    return found + (figure_lines(progress.live, progress.samples_per_s) if progress.live else [])


def bar_line(progress: Progress, look: Look) -> ViewLine:
    """A line such as `Offline accuracy ████░░░░ 12 of 30, 44 s left`; without a bar if there is no space or no
    total."""
    name = f"  {one_line(progress.phase):<20}"
    if not progress.total:
        return ViewLine(name.rstrip())
    behind = f"  {progress.done:,} of {progress.total:,}"
    if progress.eta_s is not None:
        behind += f", {duration(progress.eta_s)} left"
    room = min(MOST_BAR, look.columns - len(name) - len(behind) - 3)
    return ViewLine(
        name + (f" {bar(progress.done / progress.total, room, look)}" if room >= LEAST_BAR else "") + behind
    )


def bar(share: float, columns: int, look: Look) -> str:
    full = round(columns * min(1.0, max(0.0, share)))
    filled, empty = ("█", "░") if look.has_blocks else ("#", ".")
    return filled * full + empty * (columns - full)


def figure_lines(live: LiveFigures, samples_per_s: float | None) -> list[ViewLine]:
    found = [_line("speed", speed(live, samples_per_s))]
    latencies = {
        "TTFT": (live.ttft_p99_ms, live.ttft_limit_ms),
        "TPOT": (live.tpot_p99_ms, live.tpot_limit_ms),
    }
    for name, (p99, limit) in latencies.items():
        if p99 is not None:
            of = f", limit {milliseconds(limit)}" if limit else ""
            colour = RED if name in live.exceeded else ""
            found.append(_line(f"{name} p99 so far", f"{milliseconds(p99)}{of}", colour))
    if live.is_judged:
        found.append(_line("VALID so far?", verdict(live), RED if live.exceeded else ""))
    if live.worst_endpoint:
        found.append(_line("worst endpoint", one_line(live.worst_endpoint)))
    return found


def speed(live: LiveFigures, samples_per_s: float | None) -> str:
    """The known rates, such as `6,540 tokens/s, 144 samples/s, 188 in flight`."""
    tokens = [f"{rounded(live.tokens_per_s)} tokens/s"] if live.tokens_per_s else []
    samples = [f"{rounded(samples_per_s)} samples/s"] if samples_per_s else []
    return ", ".join([*tokens, *samples, f"{live.in_flight:,} in flight"])


def verdict(live: LiveFigures) -> str:
    """The state of the run against LoadGen's limits so far. Only LoadGen decides, at the end."""
    if live.exceeded:
        return f"no: p99 of {' and '.join(live.exceeded)} over the limit"
    if live.seconds < live.least_seconds and live.tokens_per_s:
        return f"yes; {live.seconds:.0f} s of at least {live.least_seconds:.0f} s"
    return "yes" if live.tokens_per_s else "nothing has been answered yet"


def milliseconds(ms: float | None) -> str:
    """A time such as `41.2 ms` or `2,310 ms`."""
    return f"{rounded(ms)} ms" if ms is not None else "unknown"


def rounded(value: float) -> str:
    """A number with at least three digits: `0.412`, `41.2`, `6,540`."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _line(label: str, text: str, colour: str = "") -> ViewLine:
    return ViewLine(f"    {label:<{LABEL}} {text}", colour)
