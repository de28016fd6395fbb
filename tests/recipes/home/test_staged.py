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
    made = tmp_path.stat().st_mtime
    for then in (made - staged.STARTING_SECONDS - 1, made + 3600):  # later: the clock was set back
        os.utime(tmp_path, (then, then))
        assert not staged.is_running(tmp_path)
