"""Rules of artefacts of MLPerf Endpoints, over single files and values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.mlperf.checker import subjects
from assay.mlperf.checker.endpoints import CONFIGS, PUBLISHER_PATHS, Measured
from assay.mlperf.checker.finding import Severity
from assay.mlperf.checker.rule import RULES
from assay.mlperf.checker.rules import endpoints
from assay.mlperf.checker.subjects import JudgedRun, LoggedRun, RuledEntry
from assay.mlperf.checker.submission import Entry
from assay.mlperf.submission.tree import ENDPOINTS_RESULTS, ENDPOINTS_SUMMARY
from tests.mlperf.checker.parts import Parts, only

RUNTIME = {"min_duration_ms": 600_000, "dataloader_random_seed": 1, "scheduler_random_seed": 2}
CONFIG = {"type": "offline", "settings": {"runtime": RUNTIME}}
SUMMARY = {"n_samples_issued": 6396, "tps": 100.0, "output_sequence_lengths": {"avg": 1300.0}}
ARTEFACTS = {CONFIGS[0]: CONFIG, ENDPOINTS_SUMMARY: SUMMARY, ENDPOINTS_RESULTS: {"accuracy_scores": []}}


@pytest.fixture(scope="module")
def gpt_oss(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(tmp_path_factory.mktemp("v61"), "v6.1", workload="gpt-oss-120b")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(tmp_path_factory.mktemp("llama"), "v6.1", workload="llama2-70b-99.9")


def entry(parts: Parts, files: Mapping[str, Any] = ARTEFACTS) -> Entry:
    """The offline entry, with these files in place of LoadGen's logs."""
    held = parts.entry()
    sizes = {}
    for name, value in files.items():
        path = f"{held.path}/{name}"
        content = json.dumps(value).encode()
        file: Path = parts.tree.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        sizes[path] = len(content)
    found = parts.changed_entry(f"{held.path}/performance", f"{held.path}/accuracy", sizes=sizes)
    assert found.is_endpoints
    return found


def test_only_the_models_of_the_round_may_be_run_so(gpt_oss: Parts, llama: Parts) -> None:
    assert list(endpoints.allowed(entry(gpt_oss))) == []
    fault = only(endpoints.allowed(entry(llama)))
    assert fault.found == "llama2-70b-99.9" and "gpt-oss-120b" in fault.expected


@pytest.mark.parametrize("lost", [CONFIGS[0], ENDPOINTS_SUMMARY, ENDPOINTS_RESULTS])
def test_each_artefact_is_needed(gpt_oss: Parts, lost: str) -> None:
    left = {name: value for name, value in ARTEFACTS.items() if name != lost}
    fault = only(endpoints.files(entry(gpt_oss, left)))
    assert fault.path.endswith(f"/{lost}") and fault.found == "no such file"


def test_all_names_of_the_settings_are_known(gpt_oss: Parts) -> None:
    for name in CONFIGS:
        artefacts = {name: CONFIG, **{k: v for k, v in ARTEFACTS.items() if k != CONFIGS[0]}}
        assert list(endpoints.files(entry(gpt_oss, artefacts))) == []


@pytest.mark.parametrize("place", PUBLISHER_PATHS)
def test_an_artefact_where_the_publishing_script_leaves_it_is_told(gpt_oss: Parts, place: str) -> None:
    name = next(each for each in ARTEFACTS if each.rsplit("/", 1)[-1] == place.rsplit("/", 1)[-1])
    moved = {(place if each == name else each): value for each, value in ARTEFACTS.items()}
    fault = only(endpoints.files(entry(gpt_oss, moved)))
    assert (fault.found, fault.expected) == (place, name)


def logged(parts: Parts, config: Mapping[str, Any]) -> LoggedRun:
    found = subjects.endpoints(subjects.PERFORMANCE_LOG).of(entry(parts, {**ARTEFACTS, CONFIGS[0]: config}))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("lost", "key"),
    [
        ("min_duration_ms", "effective_min_duration_ms"),
        ("dataloader_random_seed", "effective_sample_index_rng_seed"),
        ("scheduler_random_seed", "effective_schedule_rng_seed"),
    ],
)
def test_a_setting_that_is_absent_is_named(gpt_oss: Parts, lost: str, key: str) -> None:
    runtime = {name: value for name, value in RUNTIME.items() if name != lost}
    assert only(endpoints.settings(logged(gpt_oss, {"settings": {"runtime": runtime}}))).found == key


def test_all_settings_may_be_absent_at_once(gpt_oss: Parts) -> None:
    assert list(endpoints.settings(logged(gpt_oss, CONFIG))) == []
    assert only(endpoints.settings(logged(gpt_oss, {}))).found == ", ".join(endpoints.NEEDED)


def judged(parts: Parts, scores: tuple[str, ...]) -> JudgedRun:
    """A run whose scores have these names."""
    held = entry(parts)
    vars(held)["endpoint_scores"] = tuple(Measured(name, 80.0, 10) for name in scores)
    found = subjects.ACCURACY.of(held)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("scores", "severity"),
    [
        (("tokens_per_sample",), Severity.ERROR),
        ((), Severity.ERROR),
        (("other",), None),
        (("exact_match", "tokens_per_sample"), "none"),
    ],
)
def test_a_target_without_a_score_is_an_error_where_there_is_none_at_all(
    gpt_oss: Parts, scores: tuple[str, ...], severity: object
) -> None:
    faults = list(endpoints.scored(judged(gpt_oss, scores)))
    assert [fault.severity for fault in faults] == ([] if severity == "none" else [severity])
    assert RULES["E4"].severity is Severity.WARNING


def ruled(parts: Parts, *tests: str, files: Mapping[str, Any] = ARTEFACTS) -> RuledEntry:
    found = subjects.RULED.of(entry(parts, files))
    assert found is not None
    return replace(found, rules=replace(found.rules, compliance=tests))


@pytest.mark.parametrize(
    ("told", "is_fault"),
    [
        ({"test": "accuracy_in_performance_full_test", "passed": True}, False),
        ({"test": "accuracy_in_performance_full_test", "passed": "True"}, True),
        ({"test": "accuracy_in_performance_full_test"}, True),
        ({"test": "another", "passed": True}, True),
        ({}, True),
        ([], True),
    ],
)
def test_an_audit_that_is_filed_says_that_it_passed(gpt_oss: Parts, told: Any, is_fault: bool) -> None:
    files = {**ARTEFACTS, "audit/audit_accuracy_in_performance_full_test.json": told}
    assert bool(list(endpoints.audits(ruled(gpt_oss, "TEST07", files=files)))) is is_fault


def test_an_audit_that_is_not_filed_or_not_asked_for_is_no_fault(gpt_oss: Parts) -> None:
    assert list(endpoints.audits(ruled(gpt_oss, "TEST07"))) == []
    files = {**ARTEFACTS, "audit/audit_accuracy_in_performance_full_test.json": {}}
    assert list(endpoints.audits(ruled(gpt_oss, files=files))) == []


def test_a_file_named_after_no_audit_is_passed_over(gpt_oss: Parts) -> None:
    files = {**ARTEFACTS, "audit/audit_None.json": {"passed": False}}
    assert list(endpoints.audits(ruled(gpt_oss, "TEST09", files=files))) == []


def limits(parts: Parts) -> tuple[float, float]:
    found = ruled(parts, "TEST09").rules.compliance_limits
    return found["test09_min_output_tokens"], found["test09_max_output_tokens"]


@pytest.mark.parametrize(("end", "step", "is_fault"), [(0, 0, 0), (0, -1, 1), (1, 0, 0), (1, 1, 1)])
def test_the_length_of_test09_may_reach_its_limits(
    gpt_oss: Parts, end: int, step: float, is_fault: bool
) -> None:
    mean = limits(gpt_oss)[end] + step
    files = {**ARTEFACTS, ENDPOINTS_SUMMARY: {**SUMMARY, "output_sequence_lengths": {"avg": mean}}}
    faults = list(endpoints.audits(ruled(gpt_oss, "TEST09", files=files)))
    assert [fault.found for fault in faults] == [f"{mean:.2f} tokens"] * is_fault


def test_a_length_that_is_not_told_fails_test09(gpt_oss: Parts) -> None:
    files = {**ARTEFACTS, ENDPOINTS_SUMMARY: {"tps": 1.0}}
    assert only(endpoints.audits(ruled(gpt_oss, "TEST09", files=files))).found == "no mean length"


@pytest.mark.parametrize(("share", "is_fault"), [(1, False), (2, False), (0.5, True)])
def test_a_run_issues_the_whole_set(gpt_oss: Parts, share: float, is_fault: bool) -> None:
    rules = ruled(gpt_oss).rules
    count = int(rules.performance_samples * share)
    found = subjects.PERFORMANCE.of(
        entry(gpt_oss, {**ARTEFACTS, ENDPOINTS_SUMMARY: {**SUMMARY, "n_samples_issued": count}})
    )
    assert found is not None
    faults = list(endpoints.issued(found))
    assert [fault.found for fault in faults] == [f"{count:g} issued"] * is_fault
