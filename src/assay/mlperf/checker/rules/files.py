"""Rules of the files of an entry (F): which must be there, which may be, and whether they can be read."""

from __future__ import annotations

from collections.abc import Iterator

from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import Fault, rule
from assay.mlperf.checker.subjects import BENCHMARK, ENTRY, loadgen
from assay.mlperf.checker.submission import Benchmark, Entry
from assay.mlperf.logs import names
from assay.mlperf.submission.tree import (
    ACCURACY_REQUIRED,
    OPTIONAL,
    PERFORMANCE_OPTIONAL,
    PERFORMANCE_REQUIRED,
)

CHECKER = "submission checkers"
POWER_FILES = ("client.json", "client.log", "ptd_logs.txt", "server.json", "server.log")


def _power(entry: Entry) -> str:
    return f"{entry.path}/performance/power"


def _file_list(
    entry: Entry, folder: str, required: tuple[str, ...], optional: tuple[str, ...]
) -> Iterator[Fault]:
    """Missing and surplus files of a folder; a missing folder is one fault."""
    there = {name for name in entry.tree.names(folder) if f"{folder}/{name}" in entry.tree.files}
    if folder not in entry.tree.folders:
        yield Fault(folder, "the folder is missing", "no such folder", ", ".join(required))
        return
    for name in required:
        if name not in there:
            yield Fault(f"{folder}/{name}", "file is missing", "no such file", name)
    for name in sorted(there - {*required, *optional}):
        yield Fault(f"{folder}/{name}", "file does not belong here", name, ", ".join((*required, *optional)))


@rule(
    "F1",
    of=loadgen(ENTRY),
    title="performance/run_1 holds other files than the list",
    source=f"{CHECKER}: REQUIRED_PERF_FILES, OPTIONAL_PERF_FILES (spl.txt with power)",
    fix="keep LoadGen's summary and detail log (and its accuracy and trace file if you like), nothing else",
)
def performance_files(entry: Entry) -> Iterator[Fault]:
    has_power = _power(entry) in entry.tree.folders
    optional = (*PERFORMANCE_OPTIONAL, "spl.txt") if has_power else PERFORMANCE_OPTIONAL
    yield from _file_list(entry, entry.layout.performance(entry.place), PERFORMANCE_REQUIRED, optional)


@rule(
    "F2",
    of=loadgen(ENTRY),
    title="accuracy/ holds other files than the list",
    source=f"{CHECKER}: REQUIRED_ACC_FILES, files_diff",
    fix="keep accuracy.txt and LoadGen's accuracy, detail and summary file (and its trace file), nothing else",
)
def accuracy_files(entry: Entry) -> Iterator[Fault]:
    yield from _file_list(entry, entry.layout.accuracy(entry.place), ACCURACY_REQUIRED, OPTIONAL)


@rule(
    "F3",
    of=ENTRY,
    title="user.conf or README.md (to v4.1 also mlperf.conf) is missing or empty",
    source=f"{CHECKER}: REQUIRED_MEASURE_FILES",
    fix="add the file; `assay submit` writes all of them from the run",
)
def measurement_files(entry: Entry) -> Iterator[Fault]:
    folder = entry.layout.measurements(entry.place)
    conf = () if entry.is_endpoints else (names.USER_CONF,)
    needed = (*conf, "README.md", *((names.MLPERF_CONF,) if entry.round.needs_mlperf_conf else ()))
    for name in needed:
        size = entry.tree.files.get(f"{folder}/{name}")
        if not size:
            found = "no such file" if size is None else "an empty file"
            yield Fault(f"{folder}/{name}", f"{name} is missing or empty", found, "a file with content")


@rule(
    "F4",
    of=ENTRY,
    title="the measurement file is missing, or lacks a field or its value",
    source=f"{CHECKER}: SYSTEM_IMP_REQUIRED_FILES",
    fix="give every field a value: input and weight data types, retraining, weights' file, transformations",
)
def measurement(entry: Entry) -> Iterator[Fault]:
    if entry.measurement_file is None:
        path = entry.layout.measurement_file(entry.place)
        yield Fault(path, "no measurement file", "no such file", path.rsplit("/", 1)[-1])
    if entry.measurement is None:
        return
    for name in entry.round.fields.measurement:
        if not entry.measurement.get(name):
            yield Fault(str(entry.measurement_file), f"{name} is missing or empty", "no value", "a value")


@rule(
    "F5",
    of=BENCHMARK,
    title="the folder of the source code is missing",
    source=f"{CHECKER}: code/<benchmark> to v5.1, src/ from v6.0",
    fix="add the code that was run, or a README that says where it is and how to run it",
)
def source_code(benchmark: Benchmark) -> Iterator[Fault]:
    submitter = benchmark.system.submitter
    folder = f"{submitter.path}/{submitter.round.code_folder}"
    if submitter.round.layout == "old":
        folder = f"{folder}/{benchmark.name}"
    if folder not in submitter.tree.folders:
        yield Fault(folder, "no source code", "no such folder", folder)


@rule(
    "F6",
    of=ENTRY,
    title="a log or JSON file of the entry cannot be read",
    source=f"{CHECKER}: a traceback there",
    fix="copy the file again from the run folder",
)
def readable(entry: Entry) -> Iterator[Fault]:
    read = {  # the tree keeps what is wrong with a file once its content was asked for
        entry.performance_log: entry.performance,
        entry.accuracy_log: entry.accuracy,
        entry.accuracy_file: entry.accuracy_text,
        entry.measurement_file: entry.measurement,
    }
    for path in read:
        if path is not None and path in entry.tree.faults:
            yield Fault(path, "cannot be read as what it should be", entry.tree.faults[path], "a whole file")


@rule(
    "W1",
    of=ENTRY,
    title="power files are missing",
    source=f"{CHECKER}: REQUIRED_POWER_FILES",
    fix="add the power analyser's files, or remove performance/power and performance/ranging",
)
def power_files(entry: Entry) -> Iterator[Fault]:
    if _power(entry) not in entry.tree.folders:
        return
    logs = (f"{entry.path}/performance/{log}/spl.txt" for log in ("run_1", "ranging"))
    for path in (*(f"{_power(entry)}/{name}" for name in POWER_FILES), *logs):
        if path not in entry.tree.files:
            yield Fault(path, "file is missing", "no such file", path.rpartition("/")[2])


@rule(
    "W2",
    of=ENTRY,
    severity=Severity.WARNING,
    title="a power measurement: its figures are not judged",
    source="power_checker of the power repository",
    fix="run the official power checker on the folder",
)
def power_not_judged(entry: Entry) -> Iterator[Fault]:
    if _power(entry) in entry.tree.folders:
        yield Fault(_power(entry), "not judged", "power logs", "judged by the official power checker")
