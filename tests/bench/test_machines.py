"""Other machines by arithmetic: more memory or a faster disk is never slower, and what cannot run says so."""

from __future__ import annotations

import pytest

from assay.bench import machines
from assay.config import Precision
from assay.suts import engine_pace
from assay.suts.engine_pace import EnginePace
from assay.suts.shape import MIXTRAL_8X7B


@pytest.fixture(autouse=True)
def pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_pace, "measure", lambda *_: EnginePace(0.5, 0.01))


def test_more_memory_and_faster_disks_are_never_slower() -> None:
    found = machines.table(MIXTRAL_8X7B, Precision.INT8)
    assert [each.memory_gib for each in found] == list(machines.MEMORY_GIB)
    assert found[1].step_gb == pytest.approx(45.2, abs=0.1) and found[1].resident_experts == 0
    assert found[-1].step_gb == 0
    slowest_disk = [each.tokens_per_s[0] for each in found]
    assert slowest_disk == sorted(slowest_disk)
    assert list(found[1].tokens_per_s) == sorted(found[1].tokens_per_s)


def test_keys_and_values_in_int8_make_room_for_nearly_twice_the_batch() -> None:
    wide, narrow = (machines.table(MIXTRAL_8X7B, Precision.INT8, kv)[0] for kv in ("auto", "int8"))
    assert 1.9 * wide.batch < narrow.batch < 2.0 * wide.batch + 1
    assert narrow.tokens_per_s > wide.tokens_per_s


def test_a_step_takes_the_longer_of_reading_and_computing() -> None:
    assert machines.tokens_per_s(EnginePace(0.5, 0.0), 100, 50.0) == 2.0
    assert machines.tokens_per_s(EnginePace(0.5, 0.0), 100, 0.1) == 200.0


def test_a_model_beyond_the_smallest_machine_cannot_run_there() -> None:
    found = machines.table({**MIXTRAL_8X7B, "intermediate_size": 14336 * 8}, Precision.BFLOAT16)
    assert found[0].batch == 0 and found[0].tokens_per_s == ()
