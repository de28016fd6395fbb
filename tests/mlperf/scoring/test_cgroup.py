from pathlib import Path

from assay.mlperf.scoring import cgroup


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
