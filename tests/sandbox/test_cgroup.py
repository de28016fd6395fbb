import os
from pathlib import Path

from assay.ground import scratch
from assay.sandbox import cgroup


def kernel_makes(folder: Path, *files: str) -> None:
    for file in files:
        (folder / file).write_text("")


def test_where_no_groups_can_be_made_there_is_none(tmp_path: Path) -> None:
    assert cgroup.create(1 << 30, 10, tmp_path / "absent") is None


def test_a_group_whose_controller_is_off_is_given_up_and_removed(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu")
    assert cgroup.create(1 << 30, 10, tmp_path) is None
    assert not list(tmp_path.glob("assay-*"))


def test_version_2_has_one_folder_and_version_1_one_for_each_controller(tmp_path: Path, monkeypatch) -> None:
    made: list[Path] = []
    plain = Path.mkdir

    def mkdir(folder: Path, *args: object, **kwargs: object) -> None:
        plain(folder)
        kernel_makes(folder, "memory.max", "pids.max", "memory.limit_in_bytes")
        made.append(folder)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    for name in ("two", "one", "one/memory", "one/pids"):
        plain(tmp_path / name)
    (tmp_path / "two" / "cgroup.controllers").write_text("memory pids")

    second = cgroup.create(1 << 30, 10, tmp_path / "two")
    assert second is not None
    assert len(second.folders) == 1
    assert (made[0] / "memory.max").read_text() == str(1 << 30)
    assert (made[0] / "pids.max").read_text() == "10"

    first = cgroup.create(1 << 30, 10, tmp_path / "one")
    assert first is not None
    assert [folder.parent.name for folder in first.folders] == ["memory", "pids"]
    assert (made[1] / "memory.limit_in_bytes").read_text() == str(1 << 30)
    assert [Path(entrance).name for entrance in first.entrances] == ["cgroup.procs"] * 2


def test_a_group_counts_the_cpu_time_of_all_that_ran_in_it(tmp_path: Path) -> None:
    for name, file, text in (
        ("one", "cpuacct.usage", "2500000000\n"),
        ("two", "cpu.stat", "usage_usec 1500000\nx 1\n"),
    ):
        (tmp_path / name).mkdir()
        kernel_makes(tmp_path / name)
        (tmp_path / name / file).write_text(text)
    first, second, none = (cgroup.Cgroup((tmp_path / name,), ()).cpu_s for name in ("one", "two", "three"))
    assert first is not None and first() == 2.5
    assert second is not None and second() == 1.5
    assert none is None


def test_groups_of_killed_processes_are_removed_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    for name in ("memory", "pids"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "assay-1-dead").mkdir()
        (tmp_path / name / "another").mkdir()
    (tmp_path / "pids" / "assay-2-living").mkdir()
    owner = scratch.own(tmp_path / "pids" / "assay-2-living")
    assert cgroup.create(1 << 30, 10, tmp_path) is None
    assert sorted(path.name for path in tmp_path.glob("*/*")) == ["another", "another", "assay-2-living"]
    assert owner is not None
    os.close(owner)
