from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.ground.errors import ConfigError, RunFailed
from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission.source import collect
from assay.mlperf.submission.tree_request import TreeRequest
from tests.mlperf import run_folder


def refuse(
    run: Path, division: str = "closed", round_name: str = "v5.1", *, is_endpoints: bool = False
) -> None:
    request = TreeRequest(
        "Tester", division, rounds.load(round_name), lambda result, scenario: "", is_endpoints=is_endpoints
    )
    for entry in collect([run], None):
        request.refuse(entry)


@pytest.mark.parametrize("division", ["closed", "network"])
def test_other_weights_than_the_official_ones_enter_the_open_division_alone(
    tmp_path: Path, division: str
) -> None:
    run = run_folder.write(tmp_path / "run", network=True)
    record = json.loads((run / "result.json").read_text())
    record["model"] = {"official": "owner/official", "is_official": False, "parameters": 4515136}
    (run / "result.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=r"did not run the weights of owner/official.*4,515,136 parameters"):
        refuse(run, division)
    refuse(run, "open")


@pytest.mark.parametrize("division", ["closed", "network"])
def test_a_resumed_accuracy_run_enters_the_open_division_alone(tmp_path: Path, division: str) -> None:
    run = run_folder.write(tmp_path / "run", network=True)
    record = json.loads((run / "result.json").read_text())
    accuracy = next(each for each in record["runs"] if each["mode"] == "accuracy")
    accuracy["kept_answers"] = 7
    (run / "result.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=r"was resumed, 7 of its .* a run that LoadGen logged whole"):
        refuse(run, division)
    refuse(run, "open")


def test_a_run_of_another_round_is_refused(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run", "v5.0")
    with pytest.raises(ConfigError, match=r"run under v5\.0"):
        refuse(run, round_name="v5.1")


def test_a_run_whose_answers_failed_is_refused_in_every_division(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run")
    record = json.loads((run / "result.json").read_text())
    record["runs"][0]["faults"] = ["3 requests failed"]
    (run / "result.json").write_text(json.dumps(record))
    with pytest.raises(RunFailed, match="is INVALID: 3 requests failed"):
        refuse(run, "open")


def test_artefacts_of_endpoints_need_a_round_that_takes_them_for_the_workload(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run")
    with pytest.raises(ConfigError, match="may not hold artefacts of MLPerf Endpoints"):
        refuse(run, "open", is_endpoints=True)
