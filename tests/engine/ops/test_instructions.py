"""Which instructions multiply, and what is said where they are not the best that the processor has."""

from __future__ import annotations

import ctypes
import platform
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from assay.engine.ops import TilesFrom
from assay.engine.ops.cpu import build, library, rates
from assay.engine.ops.cpu.instructions import InstructionSet, choose, label
from assay.engine.ops.cpu.rates import NEVER, Rates, fewest_rows
from assay.ground.errors import EnvironmentProblem

SLOW = {"1": 10.0, "16": 90.0, "256": 100.0}


def machine(
    best: InstructionSet, permits: bool = True, vectors: InstructionSet = InstructionSet.AVX512
) -> ctypes.CDLL:
    """What choose() asks of a compiled library."""
    return cast(
        ctypes.CDLL,
        SimpleNamespace(
            assay_best_set=lambda: int(best),
            assay_best_vectors=lambda: int(min(best, vectors)),
            assay_portable_for=lambda: b"AVX2",
            assay_permit_tiles=lambda: permits,
        ),
    )


@pytest.mark.parametrize("best", list(InstructionSet))
@pytest.mark.parametrize("kernels", ["auto", "native"])
def test_the_best_set_of_the_processor_runs(best: InstructionSet, kernels: str) -> None:
    assert choose(machine(best), kernels) == (best, ())


def test_a_lesser_set_runs_where_it_is_asked_for() -> None:
    assert choose(machine(InstructionSet.AMX), "avx512") == (InstructionSet.AVX512, ())
    assert choose(machine(InstructionSet.AMX, permits=False), "portable") == (InstructionSet.PORTABLE, ())


def test_a_set_that_the_processor_lacks_is_refused_with_its_name() -> None:
    with pytest.raises(EnvironmentProblem, match="cannot run AMX"):
        choose(machine(InstructionSet.AVX512), "amx")


def test_a_kernel_that_refuses_tiles_leaves_avx512_and_a_note() -> None:
    chosen, (note,) = choose(machine(InstructionSet.AMX, permits=False), "auto")
    assert chosen is InstructionSet.AVX512
    assert "refused" in note
    with pytest.raises(EnvironmentProblem, match="refused"):
        choose(machine(InstructionSet.AMX, permits=False), "amx")


def test_tiles_that_are_refused_leave_what_was_compiled_beside_them() -> None:
    lib = machine(InstructionSet.AMX, permits=False, vectors=InstructionSet.PORTABLE)
    assert choose(lib, "auto")[0] is InstructionSet.PORTABLE
    with pytest.raises(EnvironmentProblem, match="cannot run AVX-512"):
        choose(machine(InstructionSet.AMX, vectors=InstructionSet.PORTABLE), "avx512")


def test_a_portable_set_says_what_it_was_compiled_for() -> None:
    assert label(machine(InstructionSet.AMX), InstructionSet.PORTABLE) == "portable (AVX2)"
    assert label(machine(InstructionSet.AMX), InstructionSet.AVX512) == "AVX-512"


@pytest.mark.parametrize(
    ("tiles", "fewest"),
    [
        ({"1": 20.0, "16": 200.0, "256": 900.0}, 1),
        ({"1": 5.0, "16": 200.0, "256": 900.0}, 16),
        ({"1": 5.0, "16": 200.0, "256": 99.0}, 16),
        ({"1": 5.0, "16": 80.0, "256": 99.0}, NEVER),
    ],
)
def test_tiles_run_from_the_rows_where_they_save_most(tiles: dict[str, float], fewest: int) -> None:
    """One disturbed measurement does not move the start."""
    assert fewest_rows(SLOW, tiles) == fewest


def test_rates_are_kept_beside_the_library_and_a_damaged_file_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lib, path = machine(InstructionSet.AMX), tmp_path / "abc.so"
    found = Rates("2026-01-01T00:00:00Z", {"bfloat16": SLOW, "int8": SLOW}, {"bfloat16": SLOW, "int8": SLOW})
    monkeypatch.setattr(rates, "measure", lambda *_: found)
    (tmp_path / "abc.rates.json").write_text("{")
    assert rates.kept_or_measured(lib, path) is found
    rates.keep(found, path)
    monkeypatch.setattr(rates, "measure", lambda *_: pytest.fail("measured although it was kept"))
    assert rates.kept_or_measured(lib, path) == found
    assert found.tiles_from == TilesFrom(1, 1)


def test_kernels_with_amx_compile_and_fall_back_where_it_is_refused() -> None:
    """The instructions themselves, as the compiler and the assembler take them; running them needs the processor."""
    if platform.machine() != "x86_64" or shutil.which("g++") is None:
        pytest.skip("AMX is of x86-64, and there must be a g++")
    lib = library.load(build.build(("-mamx-tile", "-mamx-bf16", "-mamx-int8")))
    assert lib.assay_best_set() == InstructionSet.AMX
    if lib.assay_permit_tiles():
        pytest.skip("this machine has AMX: the other tests run it")
    found, notes = choose(lib, "native")
    assert found is InstructionSet.AVX512
    assert notes == ("AMX is not used: the kernel of this machine refused its tile state",)
    with pytest.raises(EnvironmentProblem, match=r"cannot run AMX kernels \(AMX is not used"):
        choose(lib, "amx")
