"""Whether the client was in the way of what was measured: how late it sent and looked, how busy it was. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assay.endpoint.clients.crossing import Pulse

MOST_SHARE = 0.5
"""Of its ceiling; a client that is asked for more is marked: what is busier than half of the time has a queue."""
NS_PER_MS = 1e6


@dataclass(frozen=True)
class ClientCeiling:
    """What the same client carried against a server that answers at once."""

    answers_per_s: float
    tokens: int
    """Of each answer, as many as the run's had on average."""
    in_flight: int
    seconds: float


@dataclass(frozen=True)
class ClientRun:
    """The client over one run. None = too short to be seen."""

    answers: int
    answers_per_s: float
    issue_delay_p99_ms: float | None
    """From when a query could be sent to when it was."""
    loop_lag_p99_ms: float | None
    """How much later than planned the event loops came round."""
    cpu_share: float | None
    """Of one core, by the busiest process."""
    stamped: int = 0
    """Answers whose bytes all have the kernel's time. One that failed without a byte is neither this nor unstamped."""
    unstamped: int = 0
    """Answers of which some bytes have the time at which the client read them: the kernel told no time for them that
    could be believed."""

    @property
    def arrival_clock(self) -> str:
        """Whose times tell when bytes arrived; empty where none did."""
        own = "the client's own clock"
        if not self.stamped:
            return own if self.unstamped else ""
        share = f", and for {self.unstamped} of {self.stamped + self.unstamped} answers {own}"
        return "the kernel's clock" + (share if self.unstamped else "")


@dataclass(frozen=True)
class ClientCertificate:
    """Of all runs of a SUT. `unmeasured`: why there is no ceiling."""

    processes: int
    in_flight_at_most: int
    runs: tuple[ClientRun, ...] = ()
    ceiling: ClientCeiling | None = None
    unmeasured: str = ""

    @property
    def share(self) -> float | None:
        """Of the ceiling, by the run that asked for most of it."""
        if self.ceiling is None or not self.runs:
            return None
        return max(run.answers_per_s for run in self.runs) / self.ceiling.answers_per_s

    def to_dict(self) -> dict[str, Any]:
        last = self.runs[-1].issue_delay_p99_ms if self.runs else None
        runs = [{**asdict(run), "arrival_clock": run.arrival_clock} for run in self.runs]
        return {**asdict(self), "runs": runs, "share_of_ceiling": self.share, "issue_delay_p99_ms": last}

    def words(self) -> str:
        """One line for a reader, by the worst of all runs; empty before the first."""
        if not self.runs:
            return ""
        said = [f"client: {self.processes} process{'es' if self.processes > 1 else ''}"]
        for name, text in (
            ("issue_delay_p99_ms", "queries sent {:.3g} ms late (p99)"),
            ("loop_lag_p99_ms", "loop lag {:.3g} ms (p99)"),
            ("cpu_share", "{:.0%} of a core"),
        ):
            seen = [value for run in self.runs if (value := getattr(run, name)) is not None]
            said += [text.format(max(seen))] if seen else []
        if clock := max(self.runs, key=lambda run: (run.unstamped, run.stamped)).arrival_clock:
            said.append(f"arrivals by {clock}")
        if self.ceiling is not None:
            said.append(
                f"{self.share:.1%} of the {self.ceiling.answers_per_s:,.0f} answers/s that it carries from a server "
                f"without a model, {self.ceiling.tokens} tokens each"
            )
        elif self.unmeasured:
            said.append(f"its ceiling is not known ({self.unmeasured})")
        return ", ".join(said)

    def limited(self) -> str:
        """What marks a result whose client was too busy; empty where it was not."""
        if self.share is None or self.share <= MOST_SHARE:
            return ""
        return f"CLIENT-LIMITED: the run asked for {self.share:.0%} of what the client can carry (more --clients)"


def client_run(
    pulses: Sequence[Sequence[Pulse]],
    delays_ns: Sequence[int],
    begin_ns: int,
    end_ns: int,
    stamped: int,
    unstamped: int,
) -> ClientRun:
    """`pulses`: of each process; those between the run's begin and its end count. `stamped`, `unstamped`: answers."""
    inside = [[pulse for pulse in told if begin_ns <= pulse.at_ns <= end_ns] for told in pulses]
    shares = [
        (told[-1].cpu_ns - told[0].cpu_ns) / (told[-1].at_ns - told[0].at_ns)
        for told in inside
        if len(told) > 1
    ]
    seconds = max(1, end_ns - begin_ns) / 1e9
    return ClientRun(
        len(delays_ns),
        len(delays_ns) / seconds,
        _p99_ms(delays_ns),
        _p99_ms([lag for told in inside for pulse in told for lag in pulse.lags_ns]),
        max(shares, default=None),
        stamped,
        unstamped,
    )


def _p99_ms(values_ns: Sequence[int]) -> float | None:
    return sorted(values_ns)[int(0.99 * len(values_ns))] / NS_PER_MS if values_ns else None
