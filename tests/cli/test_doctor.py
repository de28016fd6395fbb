from __future__ import annotations

import dataclasses
import json
import subprocess

import pytest

from assay import cli, doctor
from assay.cli import doctor as verb
from assay.doctor import DEGRADED, MISSING, OK, Diagnosis
from assay.engine import limits
from assay.engine.limits import Roofline
from assay.engine.ops import choice
from assay.engine.ops.choice import MeasuredSets
from assay.engine.ops.cpu.onednn_rates import OneDnnRates
from assay.engine.ops.cpu.rates import Rates
from assay.ground.errors import EnvironmentProblem


def findings(monkeypatch: pytest.MonkeyPatch, *found: Diagnosis) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: list(found))


def test_what_is_missing_is_shown_with_its_fix_and_the_exit_code_stays_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings(monkeypatch, Diagnosis("MBXP php", MISSING, "php is not installed", "apt-get install php-cli"))
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "NO       MBXP php" in out and "try: apt-get install php-cli" in out


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


def test_every_round_package_and_language_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        doctor.container, "try_out", lambda *_: None
    )  # it takes seconds, and has a test below
    subjects = {finding.subject for finding in doctor.examine()}
    expected = {f"round {name}" for name in doctor.rounds.names()} | {"torch", "sandbox", "memory", "timing"}
    assert expected | {f"MBXP {name}" for name in doctor.LANGUAGES} <= subjects


def test_a_round_whose_loadgen_has_no_wheel_here_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.wheels, "file_for", lambda wheel: None)
    found = {f.subject: f for f in doctor._loadgen()}
    assert found["round v5.1"].state == MISSING
    assert not doctor.can_run(list(found.values()))


ROOFLINE = Roofline("here", "2026-01-01", {"float32": 100.4, "int8": 250.6}, 12.34)
RATES = Rates(
    "2026-01-01",
    vectors={name: {"1": 10.0, "16": 20.0, "64": 30.0} for name in ("bfloat16", "int8")},
    tiles={name: {"1": 5.0, "16": 40.0, "64": 90.0} for name in ("bfloat16", "int8")},
)
SLOW = {"16": 20.0, "256": 100.0}
RIVAL = OneDnnRates("2026-01-01", "2.0", own=SLOW, panels=SLOW, onednn={"16": 10.0, "256": 200.0})


@pytest.mark.parametrize(("state", "mark"), [(OK, "ok     "), (DEGRADED, "limited"), (MISSING, "NO     ")])
def test_each_state_has_its_mark(state: str, mark: str) -> None:
    lines = verb.render(
        [Diagnosis("a", state, "said"), Diagnosis("longer", OK, "x", "mend it")], None, None, True
    )
    assert lines.splitlines()[0] == f"  {mark}  a       said"
    assert lines.splitlines()[2] == "                   try: mend it"
    assert lines.splitlines()[-1] == "benchmarks can run here"


def test_limits_that_were_measured_are_told_with_the_rows_from_which_amx_runs() -> None:
    sets = MeasuredSets(RATES, "no oneDNN here")
    lines = verb.render([Diagnosis("a", OK, "x")], ROOFLINE, sets, False).splitlines()
    assert lines[1] == "  roofline: GFLOP/s 100 in float32, 251 in int8; reads 12.3 GB/s; kept for later runs"
    assert (
        lines[2] == f"  bfloat16: AMX from {RATES.tiles_from.bfloat16} rows, AVX-512 below; GFLOP/s of a core"
    )
    assert lines[3:6] == [
        "    rows          1     16     64",
        "    AMX           5     40     90",
        "    AVX-512      10     20     30",
    ]
    assert "  oneDNN: no oneDNN here" in lines
    assert lines[-1].startswith("no benchmark can run here")


@pytest.mark.parametrize(
    ("rival", "said"),
    [
        (RIVAL, "oneDNN projects attention in steps of 256 rows and more"),
        (dataclasses.replace(RIVAL, onednn=SLOW), "oneDNN is not used"),
    ],
)
def test_the_rates_of_onednn_stand_beside_those_of_our_own_kernels(rival: OneDnnRates, said: str) -> None:
    said_of_machine = [Diagnosis("a", OK, "x")]
    lines = verb.render(said_of_machine, None, MeasuredSets("one set", rival), True).splitlines()[1:]
    assert lines[0] == "  instructions: one set" and lines[1].startswith(f"  {said}; GFLOP/s")
    assert lines[2:5] == [
        "    rows         16    256",
        "    own set      20    100",
        "    AVX-512      20    100",
    ]
    assert lines[5].startswith("    oneDNN  ")


@pytest.mark.parametrize(("rates", "is_plain"), [("no AMX here", True), (RATES, False)])
def test_measuring_keeps_the_limits_and_tells_them_in_json(
    rates: str | Rates, is_plain: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept: list[Roofline] = []
    findings(monkeypatch, Diagnosis("a", OK, "x"))
    monkeypatch.setattr(limits, "measure", lambda: ROOFLINE)
    monkeypatch.setattr(limits, "keep", kept.append)
    monkeypatch.setattr(choice, "measure_sets", lambda: MeasuredSets(rates, RIVAL))
    assert cli.main(["doctor", "--roofline", "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert kept == [ROOFLINE] and tree["roofline"]["read_gb_per_s"] == 12.34
    assert (tree["instructions"] == rates) is is_plain
    assert is_plain or tree["instructions"]["amx_from_rows"]["int8"] == RATES.tiles_from.int8
    assert tree["onednn"]["from_rows"] == 256 and tree["onednn"]["onednn"]["256"] == 200
    assert cli.main(["doctor", "--roofline"]) == 0
    assert ("  instructions: no AMX here" in capsys.readouterr().out) is is_plain


@pytest.mark.parametrize(
    ("problem", "state", "words"),
    [
        (None, OK, "/usr/bin/podman"),
        (EnvironmentProblem("podman could not start the container", "a line"), DEGRADED, "could not start"),
        (subprocess.TimeoutExpired("podman", 60), DEGRADED, "no container starts in 60 s"),
    ],
)
def test_an_engine_that_answers_is_tried_with_a_container(
    monkeypatch: pytest.MonkeyPatch, problem: Exception | None, state: str, words: str
) -> None:
    def try_out(name: str, run: object) -> None:
        if problem is not None:
            raise problem

    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0))
    monkeypatch.setattr(doctor.container, "try_out", try_out)
    found = doctor._engine("podman")
    assert found.state == state and words in found.message
