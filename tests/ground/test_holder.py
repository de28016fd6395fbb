"""Who uses a folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from assay.ground import files, holder


@pytest.mark.skipif(not holder.LOCKS.is_file(), reason="the system does not list its locks")
def test_the_process_that_uses_a_folder_is_named_with_its_begin(tmp_path: Path) -> None:
    with files.held(tmp_path):
        said = holder.words(tmp_path)
    assert re.fullmatch(rf"process {os.getpid()}, which began at 20\d\d-[\dT:-]+\+00:00", said)
    assert holder.words(tmp_path) == "a process"


def test_where_no_list_is_nobody_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder, "LOCKS", tmp_path / "none")
    with files.held(tmp_path):
        assert holder.words(tmp_path) == "a process"
