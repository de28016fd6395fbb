from __future__ import annotations

import pytest

from assay.endpoint.clients.certificate import ClientCeiling, ClientCertificate, ClientRun, client_run
from assay.endpoint.clients.crossing import Pulse

S = 1_000_000_000


def pulse(at_s: float, cpu_s: float, *lags_ms: float) -> Pulse:
    return Pulse(int(at_s * S), int(cpu_s * S), tuple(int(lag * 1e6) for lag in lags_ms), {}, {})


def test_a_run_is_seen_by_the_pulses_within_it_and_by_its_busiest_process() -> None:
    one = [pulse(0.5, 0.1, 900), pulse(1.5, 0.5, 1, 2), pulse(2.5, 1.25, 3), pulse(9, 1.25, 900)]
    two = [pulse(1.5, 0.2, 0), pulse(2.5, 0.3, 0)]
    seen = client_run([one, two], [S // 1000] * 99 + [S // 100], 1 * S, 3 * S, 98, 1)
    assert seen == ClientRun(100, 50.0, 10.0, 3.0, 0.75, 98, 1)


@pytest.mark.parametrize(
    ("stamped", "unstamped", "said"),
    [
        (8, 0, "the kernel's clock"),
        (5, 3, "the kernel's clock, and for 3 of 8 answers the client's own clock"),
        (0, 8, "the client's own clock"),
    ],
)
def test_whose_clock_tells_when_bytes_arrived_is_said(stamped: int, unstamped: int, said: str) -> None:
    seen = client_run([], [1] * 10, S, 2 * S, stamped, unstamped)  # two failed without a byte
    made = ClientCertificate(1, 8, (ClientRun(10, 1.0, 0.0, None, None, 10), seen))
    assert made.words().endswith(f"arrivals by {said}")
    assert [run["arrival_clock"] for run in made.to_dict()["runs"]] == ["the kernel's clock", said]


def test_a_run_that_is_too_short_for_a_pulse_says_so() -> None:
    seen = client_run([[pulse(1, 0)]], [5], 2 * S, 3 * S, 1, 0)
    assert (seen.loop_lag_p99_ms, seen.cpu_share) == (None, None)


@pytest.mark.parametrize(("rate", "is_limited"), [(499.0, False), (501.0, True)])
def test_a_client_that_is_busier_than_half_of_its_ceiling_is_marked(rate: float, is_limited: bool) -> None:
    runs = (ClientRun(10, rate, 0.25, None, 0.5), ClientRun(10, 1.0, 0.5, 2.0, None))
    made = ClientCertificate(2, 256, runs, ClientCeiling(1000.0, 32, 256, 1.0))
    assert bool(made.limited()) is is_limited and "CLIENT-LIMITED" in (made.limited() or "CLIENT-LIMITED")
    assert "2 processes, queries sent 0.5 ms late (p99), loop lag 2 ms (p99), 50% of a core" in made.words()
    assert "of the 1,000 answers/s" in made.words()
    assert made.to_dict()["issue_delay_p99_ms"] == 0.5 and made.to_dict()["share_of_ceiling"] == rate / 1000


def test_without_a_run_nothing_is_said_and_without_a_ceiling_why() -> None:
    assert ClientCertificate(1, 8).words() == ClientCertificate(1, 8).limited() == ""
    made = ClientCertificate(1, 8, (ClientRun(1, 1.0, None, None, None),), None, "no process")
    assert made.words() == "client: 1 process, its ceiling is not known (no process)"
    assert made.share is None
