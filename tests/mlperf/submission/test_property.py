"""What Assay writes from a good run, its checker accepts: over rounds, divisions, scenarios and answers."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.mlperf.checker.check import check
from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission.tree_request import TreeRequest
from assay.mlperf.submission.write import write
from tests.mlperf import run_folder

ROUNDS = rounds.rounds_of(run_folder.MIXTRAL)
SCENARIOS = ("Offline", "Server")


@st.composite
def submissions(draw: st.DrawFn) -> tuple[str, str, list[tuple[str, tuple[str, ...]]], int, bool]:
    """round, division, runs as (system, scenarios), answers in the accuracy log, one run folder a scenario."""
    division = draw(st.sampled_from(["closed", "open", "network"]))
    some = (
        st.sampled_from([("Offline",), ("Server",), SCENARIOS]) if division == "open" else st.just(SCENARIOS)
    )
    systems = draw(
        st.lists(st.from_regex(r"\A[A-Za-z][A-Za-z0-9_-]{0,8}\Z"), min_size=1, max_size=3, unique=True)
    )
    runs = [(name, draw(some)) for name in systems]
    return draw(st.sampled_from(ROUNDS)), division, runs, draw(st.integers(1, 400)), draw(st.booleans())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(submissions())
def test_what_is_written_has_no_errors(
    tmp_path_factory: pytest.TempPathFactory,
    asked: tuple[str, str, list[tuple[str, tuple[str, ...]]], int, bool],
) -> None:
    round_name, division, runs, answers, apart = asked
    base = tmp_path_factory.mktemp("property")
    round_ = rounds.load(round_name)
    for number, (system, scenarios) in enumerate(runs):
        parts = [(scenario,) for scenario in scenarios] if apart else [scenarios]
        folders = [
            run_folder.write(
                base / f"run{number}-{i}",
                round_name,
                scenarios=part,
                answer_count=answers,
                network=division == "network",
            )
            for i, part in enumerate(parts)
        ]
        request = TreeRequest("Tester", division, round_, lambda r, s: f"# {r.workload} {s}\n", system)
        write(folders, request, base / "tree")
    report = check(base / "tree", round_)
    assert report.findings == ()
    assert len(report.rows) == sum(len(scenarios) for _, scenarios in runs)
