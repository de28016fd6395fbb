"""Where the files of an entry lie. Source: submission_structure.md and the path constants of the official checkers."""

from __future__ import annotations

import pytest

from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission.tree import Layout, Place, scenario_name

PLACE = Place("closed", "Me", "box", "mixtral-8x7b", "Offline")
OLD, NEW = Layout.of(rounds.load("v5.1")), Layout.of(rounds.load("v6.0"))
RESULTS = "closed/Me/results/box/mixtral-8x7b/Offline"


def test_results_lie_in_the_same_place_in_both_layouts() -> None:
    for layout in (OLD, NEW):
        assert layout.results(PLACE) == RESULTS
        assert layout.performance(PLACE) == f"{RESULTS}/performance/run_1"
        assert layout.accuracy(PLACE) == f"{RESULTS}/accuracy"
        assert layout.system_file("open", "Me", "box") == "open/Me/systems/box.json"


def test_old_rounds_have_folders_of_measurements_and_of_compliance() -> None:
    assert OLD.is_old
    assert OLD.measurements(PLACE) == "closed/Me/measurements/box/mixtral-8x7b/Offline"
    assert OLD.measurement_file(PLACE) == "closed/Me/measurements/box/mixtral-8x7b/Offline/box_Offline.json"
    assert OLD.compliance(PLACE, "TEST06") == "closed/Me/compliance/box/mixtral-8x7b/Offline/TEST06"


def test_from_v6_all_of_an_entry_lies_below_its_results() -> None:
    assert not NEW.is_old
    assert NEW.measurements(PLACE) == RESULTS
    assert NEW.measurement_file(PLACE) == f"{RESULTS}/measurements.json"
    assert NEW.compliance(PLACE, "TEST06") == f"{RESULTS}/TEST06"


@pytest.mark.parametrize("name", ["offline", "OFFLINE", "Offline"])
def test_a_scenario_has_loadgens_spelling(name: str) -> None:
    assert scenario_name(name) == "Offline"


@pytest.mark.parametrize(
    ("name", "expected"), [("singlestream", "SingleStream"), ("Batch", "Batch"), ("", "")]
)
def test_another_folder_keeps_its_name(name: str, expected: str) -> None:
    assert scenario_name(name) == expected
