"""A stamp of the system is a time of the client's clock, or it is not believed."""

from __future__ import annotations

import pytest

from assay.endpoint.arrival_clock import NO_STAMP, ArrivalClock

MS, S = 1_000_000, 1_000_000_000
EPOCH = 1_700_000_000 * S
"""CLOCK_REALTIME when CLOCK_MONOTONIC is 0."""


class Clocks:
    def __init__(self) -> None:
        self.now, self.epoch = 100 * S, EPOCH
        self.waits_ns: list[int] = []
        """Before each reading of the monotonic clock; then there are none."""
        self.made = ArrivalClock(lambda: self.epoch + self.now, self.monotonic)

    def monotonic(self) -> int:
        self.now += self.waits_ns.pop(0) if self.waits_ns else 0
        return self.now

    def stamp(self) -> int:
        return self.epoch + self.now


def test_bytes_that_wait_arrived_when_the_system_had_them() -> None:
    clocks = Clocks()
    sent, stamp = clocks.now, clocks.stamp() + 3 * MS
    clocks.now += 20 * MS
    assert clocks.made.arrived(stamp, sent, sent) == (sent + 3 * MS, True)


@pytest.mark.parametrize("off_ns", [-1, 20 * MS + 1])
def test_a_stamp_from_before_the_request_or_after_now_is_not_believed(off_ns: int) -> None:
    clocks = Clocks()
    sent, stamp = clocks.now, clocks.stamp() + off_ns
    clocks.now += 20 * MS
    assert clocks.made.arrived(stamp, sent, sent) == (clocks.now, False)


def test_without_a_stamp_the_time_is_that_of_the_reading() -> None:
    clocks = Clocks()
    assert clocks.made.arrived(NO_STAMP, 0, 0) == (clocks.now, False)


@pytest.mark.parametrize("step_ns", [-3600 * S, -5 * MS, 5 * MS, 3600 * S])
def test_a_clock_that_is_set_spoils_no_time(step_ns: int) -> None:
    clocks = Clocks()
    sent = clocks.now
    clocks.now += 10 * MS
    one, two = clocks.stamp(), clocks.stamp()
    clocks.now += 10 * MS
    clocks.epoch += step_ns
    assert clocks.made.arrived(one, sent, sent) == (clocks.now, False)
    # stamped before the step, read after it was seen
    assert clocks.made.arrived(two, sent, sent) == (clocks.now, False)
    clocks.now += 10 * MS
    three = clocks.stamp()
    clocks.now += 10 * MS
    assert clocks.made.arrived(three, sent, sent) == (clocks.now - 10 * MS, True)


def test_a_clock_that_is_slewed_is_followed() -> None:
    clocks = Clocks()
    for _ in range(100):
        clocks.now += 100 * MS
        clocks.epoch += MS // 20  # 500 ppm
        assert clocks.made.arrived(clocks.stamp() - MS, 0, 0) == (clocks.now - MS, True)


def test_the_rest_of_a_segment_arrived_with_its_first_part() -> None:
    clocks = Clocks()
    sent, stamp = clocks.now, clocks.stamp() + 3 * MS
    clocks.now += 20 * MS
    clocks.waits_ns = [MS // 2]
    first, _ = clocks.made.arrived(stamp, sent, sent)
    assert first == sent + 3 * MS + MS // 2
    assert clocks.made.arrived(stamp, sent, first) == (first, True)


def test_a_long_wait_between_the_two_clocks_is_no_step() -> None:
    clocks = Clocks()
    sent, stamp = clocks.now, clocks.stamp() + 3 * MS
    clocks.waits_ns = [20 * MS]
    assert clocks.made.arrived(stamp, sent, sent) == (sent + 3 * MS, True)
    assert clocks.made.arrived(stamp + 5 * MS, sent, sent) == (sent + 8 * MS, True)
