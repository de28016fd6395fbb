import os
from pathlib import Path

from assay.recipes.home import staged


def test_a_locked_marker_is_a_process_at_work(tmp_path: Path) -> None:
    handle = staged._hold(tmp_path / staged.RUNNING)
    assert handle is not None and staged.is_running(tmp_path)
    os.close(handle)
    assert not staged.is_running(tmp_path)


def test_a_folder_without_a_marker_counts_as_in_work_for_a_minute(tmp_path: Path) -> None:
    assert staged.is_running(tmp_path)
    ago = tmp_path.stat().st_mtime - staged.STARTING_SECONDS - 1
    os.utime(tmp_path, (ago, ago))
    assert not staged.is_running(tmp_path)
