"""Where the store is: the first of three that the environment names."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.doors import store
from assay.ground.errors import EnvironmentProblem


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"ASSAY_HOME": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"ASSAY_HOME": "", "XDG_CACHE_HOME": "/b"}, "/b/assay"),
        ({}, "~/.cache/assay"),
    ],
)
def test_the_first_that_is_set_decides(environ: dict[str, str], place: str) -> None:
    assert store.folder(environ) == Path(place).expanduser()


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentProblem, match="file is a file"):
        store.folder({"ASSAY_HOME": str(tmp_path / "file")})


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", staticmethod(unknown))
    with pytest.raises(EnvironmentProblem) as raised:
        store.folder({})
    assert raised.value.hint == "set ASSAY_HOME to a folder"
