"""What a tree of processes used and waited for, read from a made-up /proc. Source of its form: proc(5)."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from assay.sandbox import cpu_time
from assay.sandbox.cpu_time import CpuTime, of_tree, tree


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cpu_time, "PROC", tmp_path)
    monkeypatch.setattr(cpu_time, "_TICKS", 100)
    return tmp_path


def process(
    proc: Path, pid: int, *tasks: tuple[int, int], children: str = "", ended_ticks: tuple[int, int] = (0, 0)
) -> None:
    """`tasks`: (ran, waited) in nanoseconds."""
    folder = proc / str(pid)
    for number, (ran, waited) in enumerate(tasks):
        task = folder / "task" / str(pid + number)
        task.mkdir(parents=True)
        (task / "schedstat").write_text(f"{ran} {waited} 7\n")
        (task / "children").write_text(children if not number else "")
    before = " ".join(["S", *["0"] * 12])  # fields 3 to 15
    (folder / "stat").write_text(f"{pid} (a ) name) {before} {ended_ticks[0]} {ended_ticks[1]} 0 0\n")


def test_a_tree_is_all_that_descend_from_its_root(proc: Path) -> None:
    process(proc, 10, (0, 0), children="20 30")
    process(proc, 20, (0, 0), children="40")
    process(proc, 30, (0, 0))
    process(proc, 40, (0, 0))
    process(proc, 50, (0, 0))
    assert set(tree(10)) == {10, 20, 30, 40}


def test_time_of_all_tasks_and_of_ended_children_is_used(proc: Path) -> None:
    process(proc, 10, (2_000_000_000, 0), (500_000_000, 0), children="20", ended_ticks=(150, 50))
    process(proc, 20, (1_000_000_000, 0))
    found = of_tree(10)
    assert found.used_s == pytest.approx(2 + 0.5 + 1 + 2)
    assert found.pids == {10, 20}


@pytest.mark.parametrize(
    ("waited_s", "wait_s"),
    [((3, 0), 3.0), ((4, 2), 2.0), ((4, 1), 4.0), ((6, 6, 6), 2.0), ((0, 0), 0.0)],
)
def test_tasks_that_waited_alike_waited_for_each_other(
    waited_s: tuple[int, ...], wait_s: float, proc: Path
) -> None:
    process(proc, 10, *((0, seconds * 10**9) for seconds in waited_s))
    assert of_tree(10).wait_s == pytest.approx(wait_s)


def test_a_process_that_is_gone_or_unreadable_counts_nothing(proc: Path) -> None:
    assert of_tree(99) == CpuTime(0.0, 0.0, frozenset({99}))
    process(proc, 10, (1, 1))
    (proc / "10/task/10/schedstat").write_text("damaged")
    assert of_tree(10).used_s == 0


def test_a_process_that_ends_while_its_threads_are_listed_counts_nothing(
    proc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux says ESRCH then. `Path.glob` asks scandir, `Path.iterdir` listdir or scandir, by the version of Python."""
    process(proc, 10, (1_000_000_000, 0))

    def ended(path: object) -> NoReturn:
        raise ProcessLookupError(errno.ESRCH, "No such process", path)

    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, ended)
    assert list(tree(10)) == [10]
    assert of_tree(10).used_s == 0
