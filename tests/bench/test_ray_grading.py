"""Programs spread over machines, with machines that a test speaks for."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest

from assay.bench import ray_grading
from assay.cli import main
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.mlperf.scoring import rouge
from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.programs.program import Grading, Program, ProgramVerdict

PROGRAMS = [Program("python", f"f{n}", f"solution {n}", "test") for n in range(230)]
SANDBOX = {"kind": "bubblewrap", "safe": True}


class Toy:
    """Machines that grade by the number of the program; those of `broken` never do."""

    def __init__(self, names: Sequence[str], broken: Sequence[str] = ()) -> None:
        self.names, self._broken = list(names), broken
        self._running: deque[tuple[str, Sequence[Program]]] = deque()
        self.graded: list[str] = []
        self.started: list[str] = []

    def start(self, name: str, programs: Sequence[Program]) -> None:
        assert name not in [running for running, _ in self._running]
        self.started.append(name)
        self._running.append((name, programs))

    def wait(self) -> tuple[str, Grading | str]:
        name, programs = self._running.popleft()
        if name in self._broken:
            return name, "its node died"
        self.graded += [program.entry_point for program in programs]
        return name, Grading([ProgramVerdict(True, program.entry_point) for program in programs], SANDBOX)


def test_every_program_is_graded_once_and_in_its_place() -> None:
    machines, seen = Toy(["a", "b"]), []
    made = ray_grading.spread(machines, PROGRAMS, lambda done, total: seen.append((done, total)))
    assert [verdict.reason for verdict in made.verdicts] == [program.entry_point for program in PROGRAMS]
    assert len(machines.graded) == len(set(machines.graded)) == 230
    assert seen[-1] == (230, 230) and set(machines.started) == {"a", "b"}
    assert made.sandbox == {**SANDBOX, "machines": ["a", "b"]}


def test_the_part_of_a_machine_that_fails_goes_to_another() -> None:
    machines = Toy(["a", "b"], broken=["b"])
    made = ray_grading.spread(machines, PROGRAMS)
    assert all(verdict.passed for verdict in made.verdicts)
    assert machines.started.count("b") == 1 and len(machines.graded) == len(set(machines.graded))


def test_without_a_machine_all_are_ungraded_with_the_reason() -> None:
    made = ray_grading.spread(Toy(["a", "b"], broken=["a", "b"]), PROGRAMS)
    assert {verdict.passed for verdict in made.verdicts} == {None}
    assert made.verdicts[0].reason == "no machine could grade it: a: its node died; b: its node died"
    assert ray_grading.spread(Toy(["a"]), []).verdicts == []


@pytest.mark.parametrize(
    ("programs", "machines", "count"), [(230, 2, 8), (10, 4, 1), (0, 3, 0), (1000, 1, 4)]
)
def test_parts_hold_every_program_once(programs: int, machines: int, count: int) -> None:
    made = ray_grading.parts(programs, machines, 24)
    assert [place for part in made for place in part] == list(range(programs)) and len(made) == count


def test_the_sandboxes_are_as_safe_as_the_least_safe() -> None:
    made = ray_grading.joined({"a": SANDBOX, "b": {"kind": "none", "safe": False}})
    assert made["kind"] == "bubblewrap and none" and made["safe"] is False


def test_a_cluster_is_closed_also_when_grading_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str | None] = []

    class Cluster:
        def __init__(self, address: str | None) -> None:
            self.address = address

        def close(self) -> None:
            closed.append(self.address)

    def machines(cluster: Any, grade: Grade) -> Toy:
        assert grade == Grade(unsafe=True)
        return Toy(["a"], broken=["a"])

    monkeypatch.setattr(ray_grading, "Cluster", Cluster)
    monkeypatch.setattr(ray_grading, "RayMachines", machines)
    made = ray_grading.on_ray(Grade(unsafe=True), "head:6379")(PROGRAMS[:1])
    assert made.verdicts[0].passed is None and closed == ["head:6379"]


def test_what_is_no_address_or_number_is_refused(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="--ray-address"):
        ray_grading.on_ray(Grade(), "head")
    (tmp_path / "log.json").write_text("[]")
    log = str(tmp_path / "log.json")
    words = ["score", "--log", log, "--dataset", log, "--tokenizer", str(tmp_path)]
    assert main([*words, "--workers", "many"]) == 2
    assert "'many' is not a value of --workers" in capsys.readouterr().err
    assert main([*words, "--ray-address", "auto"]) == 2
    assert "--ray-address is for --workers ray" in capsys.readouterr().err


PAIRS = [(f"the cat {n} sat on a mat", f"a cat {n % 7} lay on the mat") for n in range(1203)]


class ReadingToy(Toy):
    """Machines that compute ROUGE."""

    def wait(self) -> tuple[str, Any]:
        name, pairs = self._running.popleft()
        return (
            (name, "its node died")
            if name in self._broken
            else (name, ray_grading._compared(["rougeL"], pairs))
        )


@pytest.mark.parametrize("broken", [[], ["b"]])
def test_texts_are_scored_as_by_one_process(broken: list[str]) -> None:
    machines = ReadingToy(["a", "b"], broken)
    made = ray_grading.spread_texts(machines, PAIRS, ["rougeL"])
    assert made == rouge.f_measures(
        [truth for truth, _ in PAIRS], [answer for _, answer in PAIRS], ["rougeL"]
    )
    assert len(machines.started) == 3 + len(broken)


def test_texts_that_no_machine_scores_are_an_error() -> None:
    with pytest.raises(EnvironmentProblem, match="no machine could compute ROUGE: a: its node died"):
        ray_grading.spread_texts(ReadingToy(["a"], ["a"]), PAIRS, ["rougeL"])


def test_no_text_is_no_part() -> None:
    assert ray_grading.spread_texts(ReadingToy(["a"]), [], ["rougeL"]) == {"rougeL": []}
