"""Which rows of a dataset a run uses."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import suts
from assay.config import BenchmarkConfig
from assay.doors import config_options
from assay.ground.errors import ArtifactError
from assay.mlperf.data.sample import Sample
from assay.mlperf.run import choosing, job
from tests import fakes

G, R, M = "GSM8K", "OpenOrca", "MBXP"
OFFICIAL = [G] * 5000 + [R] * 5000 + [M] * 5000


def job_of(config: BenchmarkConfig) -> job.Job:
    return job.of(config, suts.kind(config.sut))


def samples(*subsets: str) -> list[Sample]:
    return [Sample(i, f"x_{i}", subset, "p", (1,), "1", (), (2,)) for i, subset in enumerate(subsets)]


def test_ten_rows_of_the_official_order_are_of_all_three_subsets() -> None:
    rows = choosing.spread(OFFICIAL, 10)
    assert rows == [0, 1250, 2500, 3750, 5000, 6666, 8333, 10000, 11666, 13333]


@pytest.mark.parametrize(
    ("subsets", "count", "rows"),
    [
        ([G, G, R, M], 1, [0]),
        ([G, R, M], 1, [0]),
        ([G, G, R, R, M, M], 3, [0, 2, 4]),
        ([M, R, G, M, R, G], 3, [0, 1, 2]),
        ([G] * 8 + [M] * 2, 5, [0, 2, 4, 6, 8]),
        ([G, R, M], 3, [0, 1, 2]),
    ],
)
def test_each_subset_gives_its_share_and_its_first_row(
    subsets: list[str], count: int, rows: list[int]
) -> None:
    assert choosing.spread(subsets, count) == rows


@given(st.lists(st.sampled_from([G, R, M]), min_size=1, max_size=60), st.data())
def test_a_spread_is_that_many_different_rows_in_order_and_near_to_every_share(
    subsets: list[str], data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(subsets)))
    rows = choosing.spread(subsets, count)
    assert rows == sorted(set(rows)) and len(rows) == count and rows[-1] < len(subsets)
    for subset in set(subsets):
        share = count * subsets.count(subset) / len(subsets)
        assert abs(sum(subsets[row] is subset for row in rows) - share) < 1
    assert rows == choosing.spread(subsets, count)


def asked(**flags: str) -> BenchmarkConfig:
    return config_options.build(
        "mixtral-8x7b", {"paths.dataset": "/d", "paths.checkpoint": "/m", **flags}, {}
    )


def test_a_test_style_run_takes_a_spread_and_a_fast_one_the_first() -> None:
    rows = samples(G, G, G, R, R, R, M, M, M)
    chosen = job_of(asked(**{"limits.samples": "3"})).choose(rows)
    assert [(s.index, s.row, s.subset) for s in chosen] == [(0, 0, G), (1, 3, R), (2, 6, M)]
    assert choosing.rows_of(chosen) == (0, 3, 6)
    assert choosing.words(chosen) == "1 of GSM8K, 1 of OpenOrca, 1 of MBXP"
    fast = job_of(asked(style="fast", **{"limits.samples": "3"})).choose(rows)
    assert fast == rows[:3] and choosing.rows_of(fast) == ()
    assert job_of(asked()).choose(rows) == rows


def test_a_log_is_scored_against_the_rows_that_its_run_used(tmp_path: Path) -> None:
    rows = samples(G, G, R, R)
    log = tmp_path / "run" / "Offline" / "accuracy" / "mlperf_log_accuracy.json"
    assert choosing.of_log(log, rows) is rows
    log.parent.mkdir(parents=True)
    used = dataclasses.replace(fakes.result().dataset, rows_used=(0, 2))
    fakes.result(dataset=used).write(tmp_path / "run")
    assert [(s.index, s.row) for s in choosing.of_log(log, rows)] == [(0, 0), (1, 2)]
    with pytest.raises(ArtifactError, match="rows beyond the 2 of the dataset"):
        choosing.of_log(log, rows[:2])
    for text in ("{", "[]", '{"dataset": {}}'):
        (tmp_path / "run" / "result.json").write_text(text)
        assert choosing.of_log(log, rows) is rows
