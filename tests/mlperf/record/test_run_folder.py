"""RunFolder against the folders that the rules and older runs have."""

from __future__ import annotations

import hashlib
from pathlib import Path

from assay.bench import tune_record
from assay.config import Mode, Scenario
from assay.endpoint.load import record as load_record
from assay.mlperf.record.run_folder import OTHER_RECORDS, RunFolder

RUN = RunFolder(Path("/runs/one"))


def test_loadgens_logs_are_where_submissions_have_them() -> None:
    assert RUN.place(RUN.logs(Scenario.OFFLINE, Mode.PERFORMANCE)) == "Offline/performance/run_1"
    assert RUN.place(RUN.logs(Scenario.SERVER, Mode.ACCURACY)) == "Server/accuracy"
    assert RUN.place(RUN.user_conf(Scenario.SERVER)) == "Server/user.conf"


def test_a_log_tells_the_run_folder_that_it_is_of() -> None:
    log = RUN.logs(Scenario.OFFLINE, Mode.ACCURACY) / "mlperf_log_accuracy.json"
    assert RunFolder.of_log(log) == RUN


def test_what_must_stay_out_of_the_run_folder_is_beside_it() -> None:
    assert str(RUN.tree_beside) == "/runs/one_submission"


def test_a_folder_is_a_run_by_its_record_or_its_config(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert not run.is_run
    run.config.write_text("{}")
    assert run.is_run


def test_filed_compliance_tests_are_found_and_nothing_beside_them(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.verified_tests(Scenario.OFFLINE) == set() and run.filed_tests(Scenario.OFFLINE) == {}
    test = run.compliance(Scenario.OFFLINE) / "TEST06"
    for name in ("verify_accuracy.txt", "accuracy/mlperf_log_accuracy.json", "notes.txt"):
        (test / name).parent.mkdir(parents=True, exist_ok=True)
        (test / name).write_text("x")
    assert run.verified_tests(Scenario.OFFLINE) == {"TEST06"}
    assert list(run.filed_tests(Scenario.OFFLINE)) == [
        "TEST06/verify_accuracy.txt",
        "TEST06/accuracy/mlperf_log_accuracy.json",
    ]
    assert run.filed_tests(Scenario.SERVER) == {}


def test_every_file_has_its_digest_under_its_path(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_text("x")
    assert RunFolder(tmp_path).digests() == {"a/b": hashlib.sha256(b"x").hexdigest()}


def test_the_record_of_another_verb_tells_which_verb_made_a_folder(tmp_path: Path) -> None:
    assert OTHER_RECORDS == {load_record.FILE: "load", tune_record.FILE: "tune"}
    run = RunFolder(tmp_path)
    assert run.made_by == ""
    (tmp_path / tune_record.FILE).write_text("{}")
    assert run.made_by == "tune"
    run.result.write_text("{}")
    assert run.made_by == ""
