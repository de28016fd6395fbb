from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from assay.bench import run_energy
from assay.machine import energy
from assay.machine.energy import Metered, MeteredPart
from assay.mlperf.record.result import EnergyPart
from assay.mlperf.run.request_times import RequestTimes
from assay.suts import echo, endpoint

TIMES = RequestTimes(np.zeros(2, np.int32), np.array([3, 4]), None, np.array([8, 9]), np.array([10, 30]))


class Meter:
    def measured(self, begin_ns: int, end_ns: int) -> Metered:
        assert (begin_ns, end_ns) == (3, 9)  # the first query and the last answer
        return Metered(80.0, 6.0, ("processor",), (MeteredPart("p", "processor", 80.0),))


def test_joules_per_token_are_over_the_tokens_of_the_run() -> None:
    found = run_energy.used(Meter(), TIMES)  # type: ignore[arg-type]
    assert (found.joules, found.joules_per_token, found.watts) == (80.0, 2.0, pytest.approx(80 / 6))
    assert found.parts == (EnergyPart("p", "processor", 80.0),)
    none = run_energy.used(Meter(), dataclasses.replace(TIMES, tokens=np.zeros(2, np.int32)))  # type: ignore[arg-type]
    assert none.joules_per_token is None


def test_a_server_elsewhere_is_not_measured_by_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with run_energy.metered(endpoint.KIND) as meter:
        pass
    found = run_energy.used(meter, TIMES)
    assert (found.joules, found.joules_per_token, found.watts) == (None, None, None)
    assert found.why_not == run_energy.ELSEWHERE
    monkeypatch.setattr(energy, "counters", lambda: ([], "none here"))
    with run_energy.metered(echo.KIND) as meter:
        pass
    assert run_energy.used(meter, TIMES).why_not == "none here"
