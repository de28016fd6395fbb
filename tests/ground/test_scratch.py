import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from assay.ground import scratch


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def test_a_folder_is_there_inside_the_block_and_gone_after_it(place: Path) -> None:
    with scratch.folder("assay-x-") as folder:
        (folder / "file").write_text("")
        assert folder.parent == place
    assert list(place.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_one(place: Path) -> None:
    code = (
        "import os, sys\nfrom assay.ground import scratch\nwith scratch.folder('assay-x-') as f:\n"
        "  (f / 'deep').mkdir(); (f / 'deep' / 'file').write_text(''); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(place)}, check=False)
    left = list(place.iterdir())
    assert len(left) == 1
    with scratch.folder("assay-x-"):
        assert not left[0].exists()


def test_a_folder_with_a_living_owner_stays(place: Path) -> None:
    with scratch.folder("assay-x-") as first, scratch.folder("assay-x-") as second:
        assert first != second
        assert first.is_dir()


def test_a_folder_that_another_process_owns_stays(place: Path) -> None:
    code = (
        "from assay.ground import scratch\nwith scratch.folder('assay-x-') as f:\n"
        "  print(f, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        theirs = Path(owner.stdout.readline().strip())
        with scratch.folder("assay-x-"):
            assert theirs.is_dir()
        owner.communicate("\n")
    assert not theirs.exists()


def test_folders_of_other_names_files_and_links_stay(
    place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = tmp_path_factory.mktemp("target")
    (place / "assay-x-link").symlink_to(target)
    (place / "assay-x-file").write_text("")
    (place / "assay-y-1").mkdir()
    with scratch.folder("assay-x-"):
        pass
    assert target.is_dir()
    assert sorted(path.name for path in place.iterdir()) == ["assay-x-file", "assay-x-link", "assay-y-1"]


def test_a_folder_that_was_removed_before_it_was_owned_is_nobodys(place: Path) -> None:
    assert scratch.own(place / "absent") is None
