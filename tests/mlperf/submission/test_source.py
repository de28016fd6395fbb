"""What a submission takes from run folders."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from assay.config import Mode, Paths, Scenario
from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf.record import result as results
from assay.mlperf.record.result import Status, SystemField
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.submission.source import FinishedRun, collect
from assay.mlperf.sut.interface import Used
from tests import fakes
from tests.mlperf import run_folder


def finished(**changes: object) -> FinishedRun:
    return FinishedRun(RunFolder(Path("/run")), fakes.result(**changes))


def used(device: str, sut: str = "engine") -> Used:
    return Used(sut, "b", "bfloat16", device, 1, None)


@pytest.mark.parametrize(
    ("device", "fields", "name"),
    [
        ("cpu", {"host_processor_model_name": "Intel(R) Xeon(R) 6"}, "Intel_R_Xeon_R_6-cpu-engine"),
        (
            "cuda:0",
            {"host_processor_model_name": "X", "accelerator_model_name": "H200"},
            "H200-cuda_0-engine",
        ),
        ("cuda", {"host_processor_model_name": "X"}, "system-cuda-engine"),
        ("cpu", {}, "system-cpu-engine"),
        ("", {"host_processor_model_name": "../é"}, "engine"),
    ],
)
def test_a_system_is_named_by_what_ran_in_it(device: str, fields: dict[str, str], name: str) -> None:
    system = {key: SystemField(value, "probe") for key, value in fields.items()}
    assert finished(used=used(device), system=system).system_name() == name


def test_a_field_that_the_machine_does_not_say_is_not_probed() -> None:
    run = finished(system={"a": SystemField(None, "x"), "b": SystemField("1", "x")})
    assert run.probed() == {"b": "1"}


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (Paths(checkpoint=Path("/models/Mixtral-8x7B")), "Mixtral-8x7B"),
        (Paths(), "mixtral-8x7b"),
    ],
)
def test_weights_are_named_without_the_folders_above_them(paths: Paths, name: str) -> None:
    asked = dataclasses.replace(fakes.result().asked, paths=paths)
    assert finished(asked=asked).checkpoint == name


def test_a_run_that_used_nothing_says_nothing_of_it() -> None:
    run = finished(used=None)
    assert (run.precision, run.device) == ("", "")


def test_two_runs_make_one_entry_of_performance_and_accuracy(tmp_path: Path) -> None:
    one = run_folder.write(tmp_path / "one", scenarios=("Offline",), modes=("performance",))
    two = run_folder.write(tmp_path / "two", scenarios=("Offline",), modes=("accuracy",))
    (entry,) = collect([two, one], "box")
    assert (entry.system, entry.benchmark, entry.scenario) == ("box", "mixtral-8x7b", Scenario.OFFLINE)
    assert entry.run.folder.path == one  # what is measured decides whose description it is
    assert entry.user_conf == one / "Offline/user.conf"
    assert set(entry.logs(Mode.PERFORMANCE)) == {"mlperf_log_summary.txt", "mlperf_log_detail.txt"}
    assert entry.logs(Mode.ACCURACY)["accuracy.txt"] == two / "Offline/accuracy/accuracy.txt"


def test_an_accuracy_run_alone_is_an_entry_without_performance(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run", scenarios=("Offline",), modes=("accuracy",))
    (entry,) = collect([run], None)
    assert entry.logs(Mode.PERFORMANCE) == {}
    assert entry.run.folder.path == run


def test_a_log_that_is_gone_is_left_out(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run", scenarios=("Offline",))
    (run / "Offline/accuracy/accuracy.txt").unlink()
    (entry,) = collect([run], None)
    assert "accuracy.txt" not in entry.logs(Mode.ACCURACY)


def test_each_scenario_is_an_entry(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run")
    assert [entry.scenario for entry in collect([run], None)] == [Scenario.OFFLINE, Scenario.SERVER]


def test_filed_compliance_tests_are_found_below_their_scenario(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run", scenarios=("Offline",))
    (run / "Offline/compliance/TEST06/loose.txt").write_text("")
    (entry,) = collect([run], None)
    assert set(entry.compliance()) == {
        "TEST06/verify_accuracy.txt",
        "TEST06/accuracy/mlperf_log_accuracy.json",
    }
    without = run_folder.write(tmp_path / "without", scenarios=("Offline",), compliance=False)
    assert collect([without], None)[0].compliance() == {}


def test_the_name_of_a_system_is_the_given_one_else_the_asked_one_else_the_found_one(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run", scenarios=("Offline",))
    assert collect([run], "given")[0].system == "given"
    assert collect([run], None)[0].system == "Test_Processor_1-cpu-transformers"
    record = results.read(run)
    asked = dataclasses.replace(
        record.asked, submission=dataclasses.replace(record.asked.submission, system_name="asked")
    )
    dataclasses.replace(record, asked=asked).write(run)
    assert collect([run], None)[0].system == "asked"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.RUNNING, "INTERRUPTED: its process was killed"),
        (Status.FAILED, "FAILED: "),
        (Status.INTERRUPTED, "INTERRUPTED: "),
    ],
)
def test_a_run_that_is_not_finished_is_refused_with_the_command_that_repeats_it(
    status: Status, said: str, tmp_path: Path
) -> None:
    run = run_folder.write(tmp_path / "run", scenarios=("Offline",), status=status)
    with pytest.raises(ConfigError, match=f"run is {said}") as error:
        collect([run], None)
    assert f"assay bench --config {run / 'config.json'} --out NEW" in error.value.hint


def test_two_runs_of_one_mode_are_refused_with_both_folders(tmp_path: Path) -> None:
    runs = [run_folder.write(tmp_path / name, scenarios=("Offline",)) for name in ("one", "two")]
    with pytest.raises(ConfigError, match=r"two and .*one both hold Offline performance of box"):
        collect(runs, "box")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        collect([tmp_path], None)
