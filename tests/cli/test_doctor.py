from __future__ import annotations

import json

import pytest

from assay import cli, doctor
from assay.doctor import DEGRADED, MISSING, OK, Diagnosis


def findings(monkeypatch: pytest.MonkeyPatch, *found: Diagnosis) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: list(found))


def test_what_is_missing_is_shown_with_its_fix_and_the_exit_code_stays_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings(monkeypatch, Diagnosis("MBXP php", MISSING, "php is not installed", "apt-get install php-cli"))
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "NO    MBXP php" in out and "try: apt-get install php-cli" in out


def test_the_exit_code_is_3_only_when_nothing_can_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings(monkeypatch, Diagnosis("torch", MISSING, "not installed", "pip install torch", is_vital=True))
    assert cli.main(["doctor", "--json"]) == 3
    tree = json.loads(capsys.readouterr().out)
    assert tree["can_run"] is False
    assert tree["findings"][0]["fix"] == "pip install torch"
    assert tree["roofline"] is None


def test_limits_that_are_vital_but_met_do_not_stop_anything() -> None:
    assert doctor.can_run([Diagnosis("memory", OK, "", is_vital=True), Diagnosis("timing", DEGRADED, "")])


def test_every_round_package_and_language_is_looked_at() -> None:
    subjects = {finding.subject for finding in doctor.examine()}
    expected = {f"round {name}" for name in doctor.rounds.names()} | {"torch", "sandbox", "memory", "timing"}
    assert expected | {f"MBXP {name}" for name in doctor.LANGUAGES} <= subjects


def test_a_round_whose_loadgen_has_no_wheel_here_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.wheels, "file_for", lambda wheel: None)
    found = {f.subject: f for f in doctor._loadgen()}
    assert found["round v5.1"].state == MISSING
    assert not doctor.can_run(list(found.values()))
