"""Rules of the files of an entry: each list at its ends, and each file missing, empty, surplus or unreadable."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.mlperf.checker.rules import files
from assay.mlperf.checker.rules.files import POWER_FILES
from assay.mlperf.submission.tree import ACCURACY_REQUIRED, OPTIONAL, PERFORMANCE_REQUIRED
from tests.mlperf.checker.parts import Parts, only

RESULTS = "closed/Tester/results/box/mixtral-8x7b/Offline"
PERFORMANCE, ACCURACY = f"{RESULTS}/performance/run_1", f"{RESULTS}/accuracy"
MEASURED = "closed/Tester/measurements/box/mixtral-8x7b/Offline"


@pytest.fixture(scope="module")
def v41(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(tmp_path_factory.mktemp("v41"), "v4.1")


@pytest.fixture(scope="module")
def v60(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(tmp_path_factory.mktemp("v60"), "v6.0")


def test_a_good_entry_has_no_fault_of_its_files(parts: Parts) -> None:
    entry = parts.entry()
    rules = (files.performance_files, files.accuracy_files, files.measurement_files, files.measurement)
    for rule in (*rules, files.readable, files.power_files, files.power_not_judged):
        assert list(rule(entry)) == []
    assert list(files.source_code(parts.benchmark)) == []


@pytest.mark.parametrize("name", PERFORMANCE_REQUIRED)
def test_each_log_of_the_performance_run_is_needed(parts: Parts, name: str) -> None:
    fault = only(files.performance_files(parts.changed_entry(f"{PERFORMANCE}/{name}")))
    assert (fault.path, fault.found, fault.expected) == (f"{PERFORMANCE}/{name}", "no such file", name)


@pytest.mark.parametrize("name", ACCURACY_REQUIRED)
def test_each_file_of_the_accuracy_run_is_needed(parts: Parts, name: str) -> None:
    fault = only(files.accuracy_files(parts.changed_entry(f"{ACCURACY}/{name}")))
    assert (fault.path, fault.message) == (f"{ACCURACY}/{name}", "file is missing")


def test_a_missing_folder_is_one_fault(parts: Parts) -> None:
    gone = parts.changed_entry(PERFORMANCE, ACCURACY, sizes={f"{RESULTS}/TEST06/x": 1})
    for rule, folder in ((files.performance_files, PERFORMANCE), (files.accuracy_files, ACCURACY)):
        fault = only(rule(gone))
        assert (fault.path, fault.message) == (folder, "the folder is missing")


@pytest.mark.parametrize("name", [*OPTIONAL, "mlperf_log_accuracy.json"])
def test_what_may_lie_beside_the_performance_logs_is_no_fault(parts: Parts, name: str) -> None:
    assert list(files.performance_files(parts.changed_entry(sizes={f"{PERFORMANCE}/{name}": 3}))) == []


def test_every_surplus_file_is_told_in_order(parts: Parts) -> None:
    sizes = {f"{PERFORMANCE}/z.txt": 1, f"{PERFORMANCE}/a.txt": 1, f"{ACCURACY}/metadata.json": 1}
    entry = parts.changed_entry(sizes=sizes)
    assert [fault.found for fault in files.performance_files(entry)] == ["a.txt", "z.txt"]
    assert [fault.found for fault in files.accuracy_files(entry)] == ["metadata.json"]


def test_a_folder_beside_the_logs_is_not_a_file(parts: Parts) -> None:
    assert list(files.performance_files(parts.changed_entry(sizes={f"{PERFORMANCE}/more/x": 1}))) == []


@pytest.mark.parametrize("has_power", [True, False])
def test_the_analysers_log_may_lie_there_with_power_alone(parts: Parts, has_power: bool) -> None:
    sizes = {f"{PERFORMANCE}/spl.txt": 1}
    sizes |= {f"{RESULTS}/performance/power/client.json": 1} if has_power else {}
    found = [fault.found for fault in files.performance_files(parts.changed_entry(sizes=sizes))]
    assert found == ([] if has_power else ["spl.txt"])


@pytest.mark.parametrize("name", ["user.conf", "README.md"])
@pytest.mark.parametrize(("is_empty", "found"), [(False, "no such file"), (True, "an empty file")])
def test_settings_and_readme_are_there_with_content(
    parts: Parts, name: str, is_empty: bool, found: str
) -> None:
    path = f"{MEASURED}/{name}"
    entry = parts.changed_entry(sizes={path: 0}) if is_empty else parts.changed_entry(path)
    fault = only(files.measurement_files(entry))
    assert (fault.path, fault.found) == (path, found)


def test_mlperf_conf_is_needed_to_v41_alone(parts: Parts, v41: Parts) -> None:
    path = f"{MEASURED}/mlperf.conf"
    assert list(files.measurement_files(v41.entry())) == []
    assert only(files.measurement_files(v41.changed_entry(path))).path == path
    assert path not in parts.tree.files


def test_a_missing_measurement_file_is_named_as_the_layout_calls_it(parts: Parts, v60: Parts) -> None:
    for each, name in ((parts, "box_reference_Offline.json"), (v60, "measurements.json")):
        held = each.entry().measurement_file
        assert held is not None
        fault = only(files.measurement(each.changed_entry(held)))
        assert (fault.message, fault.found) == ("no measurement file", "no such file")
        assert fault.expected.endswith(".json") and (fault.expected == name) is (each is v60)


@pytest.mark.parametrize("value", [None, "", 0, []])
def test_each_field_of_the_measurement_has_a_value(parts: Parts, value: object) -> None:
    needed = parts.submitter.round.fields.measurement
    assert needed
    for name in needed:
        entry = parts.changed_entry()
        whole = parts.entry().measurement
        assert whole is not None
        vars(entry)["measurement"] = {**whole, name: value}
        fault = only(files.measurement(entry))
        assert fault.message == f"{name} is missing or empty"
        assert fault.path == entry.measurement_file


def test_a_measurement_that_cannot_be_read_is_the_matter_of_another_rule(parts: Parts) -> None:
    entry = parts.changed_entry()
    vars(entry)["measurement"] = None
    assert list(files.measurement(entry)) == []


def test_the_code_lies_in_the_folder_of_the_round(parts: Parts, v60: Parts) -> None:
    for each, folder in ((parts, "closed/Tester/code/mixtral-8x7b"), (v60, "closed/Tester/src")):
        fault = only(files.source_code(each.changed(folder)))
        assert (fault.path, fault.expected) == (folder, folder)


def test_code_of_another_benchmark_is_none(parts: Parts) -> None:
    moved = parts.changed("closed/Tester/code/mixtral-8x7b", sizes={"closed/Tester/code/other/x.py": 1})
    assert only(files.source_code(moved)).found == "no such folder"


@pytest.mark.parametrize("part", ["performance_log", "accuracy_log", "accuracy_file", "measurement_file"])
def test_a_file_that_cannot_be_read_is_told_with_the_reason(parts: Parts, part: str) -> None:
    entry = parts.changed_entry()
    path = getattr(entry, part)
    entry.tree.faults[path] = "not JSON: at byte 3"
    fault = only(files.readable(entry))
    assert (fault.path, fault.found) == (path, "not JSON: at byte 3")


def test_a_damaged_log_on_the_disk_is_found(parts: Parts) -> None:
    entry = parts.changed_entry()
    log = entry.performance_log
    huge = replace(entry.tree, files={**entry.tree.files, log: 1 << 40}, faults={})
    damaged = replace(
        entry,
        benchmark=replace(
            entry.benchmark,
            system=replace(entry.system, submitter=replace(entry.submitter, tree=huge)),
        ),
    )
    assert only(files.readable(damaged)).found == "1,099,511,627,776 bytes, not read"


def whole_power() -> dict[str, int]:
    power = {f"{RESULTS}/performance/power/{name}": 1 for name in POWER_FILES}
    return power | {f"{RESULTS}/performance/{log}/spl.txt": 1 for log in ("run_1", "ranging")}


def test_a_whole_power_measurement_is_a_warning_that_it_is_not_judged(parts: Parts) -> None:
    entry = parts.changed_entry(sizes=whole_power())
    assert list(files.power_files(entry)) == []
    assert only(files.power_not_judged(entry)).path == f"{RESULTS}/performance/power"


@pytest.mark.parametrize("lost", whole_power())
def test_each_file_of_a_power_measurement_is_needed(parts: Parts, lost: str) -> None:
    entry = parts.changed_entry(sizes={path: 1 for path in whole_power() if path != lost})
    assert only(files.power_files(entry)).path == lost
