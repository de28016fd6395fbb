from pathlib import Path

import pytest

from assay.sandbox import cpu_time, stages
from assay.sandbox.stages import PATIENCE, judged


@pytest.mark.parametrize(
    ("elapsed_s", "used_s", "waited_s", "is_over", "is_starved"),
    [
        (20, 0, 0, True, False),  # slept
        (20, 20, 0, True, False),  # used its time
        (20, 10, 10, False, False),  # had half of it: it goes on
        (40, 20, 20, True, False),  # and has used it now
        (20, 40, 19, True, False),  # many tasks that waited for each other
        (100, 1, 80, True, False),  # slept on a busy machine: 20 s were its own
        (20 * PATIENCE, 10, 20 * PATIENCE - 10, True, True),  # strangers took more than nine tenths
        (20 * PATIENCE, 19, 21, True, False),
        (20 * PATIENCE, 15, 20 * PATIENCE - 15, True, True),
        (100, 1, 90, False, True),
    ],
)
def test_a_stage_has_had_its_time_by_its_own_measure(
    elapsed_s: float, used_s: float, waited_s: float, is_over: bool, is_starved: bool
) -> None:
    assert judged(20, elapsed_s, used_s, waited_s) == (is_over, is_starved)


def process(proc: Path, pid: int, children: str, ran: int, waited: int) -> None:
    task = proc / str(pid) / "task" / str(pid)
    task.mkdir(parents=True)
    (task / "children").write_text(children)
    (task / "schedstat").write_text(f"{ran} {waited} 7\n")
    (proc / str(pid) / "stat").write_text(f"{pid} (a ) b) S 1 {' '.join('0' for _ in range(40))}")


def test_one_task_that_waits_alone_waits_for_strangers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(tmp_path, 1, "2 3 ", 0, 0)
    process(tmp_path, 2, "", 3_000_000_000, 8_000_000_000)
    process(tmp_path, 3, "", 0, 1_000_000_000)
    monkeypatch.setattr(cpu_time, "PROC", tmp_path)
    assert cpu_time.of_tree(1) == cpu_time.CpuTime(3.0, 8.0, frozenset({1, 2, 3}))


def test_the_tasks_of_a_fork_bomb_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(tmp_path, 1, " ".join(str(pid) for pid in range(2, 66)), 0, 0)
    for pid in range(2, 66):
        process(tmp_path, pid, "", 0, 64_000_000_000)
    monkeypatch.setattr(cpu_time, "PROC", tmp_path)
    assert cpu_time.of_tree(1).wait_s == 1.0


def test_a_process_that_is_gone_has_used_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_time, "PROC", tmp_path)
    assert cpu_time.of_tree(1) == cpu_time.CpuTime(0.0, 0.0, frozenset({1}))


@pytest.mark.parametrize(("second", "is_over"), [({1, 2}, False), ({1, 2, 4}, False), ({1, 3}, True)])
def test_a_program_that_keeps_starting_processes_waits_for_itself(
    monkeypatch: pytest.MonkeyPatch, second: set[int], is_over: bool
) -> None:
    seen = [
        cpu_time.CpuTime(0.0, wait_s, frozenset(pids)) for wait_s, pids in ((24.0, {1, 2}), (29.0, second))
    ]
    clock = iter((0.0, 25.0, 30.0))
    monkeypatch.setattr(stages.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(cpu_time, "of_tree", lambda pid: seen.pop(0))
    watched = stages.Stages((20.0,), 1, lambda: 0.0)
    assert watched.is_overdue() is False
    assert watched.is_overdue() is is_over
    assert watched.was_starved is not is_over
