"""Which compliance tests are run, and what they need before anything runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.bench import comply
from assay.bench.running import Reporter
from assay.config import Scenario
from assay.ground import files
from assay.ground.errors import ConfigError
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.rounds import round as rounds
from assay.mlperf.sut.progress import ignore
from tests.mlperf import run_folder

GPT_OSS = rounds.load("v6.1").workload("gpt-oss-120b")


def test_the_round_says_which_tests_and_their_limits() -> None:
    for name in ("v6.0", "v6.1"):
        rules = rounds.load(name).workload("gpt-oss-120b")
        assert rules.compliance == ("TEST07", "TEST09")
        assert rules.compliance_limits == {
            "test07_accuracy_threshold": 60.698,
            "test09_min_output_tokens": 1150.38,
            "test09_max_output_tokens": 1406.02,
        }


def test_compliance_is_done_once_every_test_of_every_scenario_has_its_verdict(tmp_path: Path) -> None:
    """A run that was stopped in its tests has a folder of them, and no verdict."""
    folder = run_folder.write(tmp_path / "run")
    assert comply.is_done(folder)
    tests = RunFolder(folder).compliance(Scenario.SERVER)
    (tests / "TEST06/verify_accuracy.txt").unlink()
    assert not comply.is_done(folder)
    shutil.rmtree(tests)
    assert not comply.is_done(folder)
    (tests / "run/TEST06").mkdir(parents=True)
    assert not comply.is_done(folder)


def test_the_tests_of_a_folder_are_run_by_one_process_at_a_time(tmp_path: Path) -> None:
    """Each clears the folder of the tests first: a second one would remove what the first is writing."""
    folder = run_folder.write(tmp_path / "run")
    before = RunFolder(folder).verified_tests(Scenario.SERVER)
    with files.held(folder), pytest.raises(ConfigError, match="in use by"):
        comply.perform(folder, Reporter(lambda _text: None, ignore))
    assert RunFolder(folder).verified_tests(Scenario.SERVER) == before
