"""When oneDNN projects attention: measured, kept with the version of PyTorch, and only where it pays."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from assay.engine.ops.cpu import build, library, onednn, onednn_rates, rates
from assay.engine.ops.cpu.instructions import InstructionSet, choose
from assay.engine.ops.cpu.onednn_rates import OneDnnRates
from assay.ground.errors import EnvironmentProblem

PANELS = {"16": 60.0, "64": 80.0, "256": 100.0, "1024": 100.0}
FOUND = OneDnnRates("2026-01-01T00:00:00Z", torch.__version__, PANELS, PANELS, PANELS)


@pytest.mark.parametrize(
    ("own", "rival", "step_rows", "start"),
    [
        (PANELS, PANELS, (256, 1024), None),
        (PANELS, {"16": 20.0, "64": 60.0, "256": 102.0, "1024": 102.0}, (256, 1024), None),
        (PANELS, {"16": 20.0, "64": 60.0, "256": 120.0, "1024": 130.0}, (256, 1024), 256),
        (PANELS, {"16": 20.0, "64": 60.0, "256": 120.0, "1024": 130.0}, (32, 64), None),
        (PANELS, {"16": 90.0, "64": 90.0, "256": 120.0, "1024": 130.0}, (8, 8), 16),
        # With AMX the panels must make up for the tiles that they take the place of.
        (dict.fromkeys(PANELS, 400.0), dict.fromkeys(PANELS, 390.0), (256, 1024), None),
        (
            {"16": 100.0, "64": 400.0, "256": 800.0, "1024": 800.0},
            dict.fromkeys(PANELS, 2000.0),
            (256, 1024),
            16,
        ),
        (dict.fromkeys(PANELS, 800.0), {**PANELS, "1024": 900.0}, (64, 1024), None),
    ],
)
def test_onednn_runs_where_the_steps_of_an_engine_gain_by_it(
    own: rates.Rate, rival: rates.Rate, step_rows: tuple[int, ...], start: int | None
) -> None:
    assert replace(FOUND, own=own, onednn=rival).rows_from(step_rows) == start


def test_kept_rates_of_another_pytorch_and_damaged_ones_are_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onednn_rates, "measure", lambda *_: FOUND)
    kept = tmp_path / "abc.onednn.json"
    asked = (None, tmp_path / "abc.so", InstructionSet.AVX512, None)
    other = replace(FOUND, own={"16": 1.0})
    for text in ("{", json.dumps(asdict(replace(other, torch="1.0"))), "[]"):
        kept.write_text(text)
        assert onednn_rates.kept_or_measured(*asked) is FOUND  # type: ignore[arg-type]
    kept.write_text(json.dumps(asdict(other)))
    assert onednn_rates.kept_or_measured(*asked) == other  # type: ignore[arg-type]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("g++") is None:
        pytest.skip("no g++ on this machine: the kernels cannot be built")
    if reason := onednn.unusable(rates.SHAPE, choose(library.load(build.build()), "native")[0]):
        pytest.skip(reason)
    monkeypatch.setattr(onednn_rates, "ROWS", (1, 3))
    monkeypatch.setattr(rates, "COLUMNS", 64)


@pytest.mark.usefixtures("small")
def test_measuring_fills_every_row_count_and_keeps_it(tmp_path: Path) -> None:
    """On tiles that plain C++ stands in for, and on the set of this machine."""
    for number, define in enumerate(((), ("-DASSAY_TILES_STAND_IN",))):
        lib = library.load(build.build(define))
        best, _ = choose(lib, "native")
        path = tmp_path / f"{number}.so"
        threads = torch.get_num_threads()
        found = onednn_rates.measure(lib, path, best, None)
        assert all(set(rate) == {"1", "3"} for rate in (found.own, found.panels, found.onednn))
        assert onednn_rates.kept_or_measured(lib, path, best, None) == found
        assert torch.get_num_threads() == threads


@pytest.mark.usefixtures("small")
def test_wrong_answers_are_refused_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onednn, "product", lambda h, packed: torch.zeros(len(h), 200, dtype=torch.bfloat16))
    lib = library.load(build.build())
    with pytest.raises(EnvironmentProblem, match="oneDNN differs from the reference"):
        onednn_rates.measure(lib, tmp_path / "kernels.so", choose(lib, "native")[0], None)
    assert not list(tmp_path.glob("*.json"))
