"""The store is measured, and cleared only of what is Assay's and while nobody uses it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.ground import settings, store_contents
from assay.ground.errors import ConfigError, EnvironmentProblem

HOLD = "import sys; {}; print('ready', flush=True); sys.stdin.read()"


@pytest.fixture
def home(tmp_path: Path, store: Path) -> Path:
    home = tmp_path / "own"
    for name in ("models/m/a.bin", "kernels/k.so", "rounds/v9.9.toml", "photos/me.jpg"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_bytes(b"x" * 10_000)
    (home / "limits.json").write_text("{}")
    settings.set_home(home)
    return home


def test_each_kind_is_measured_and_what_is_not_assays_is_not_there(home: Path) -> None:
    os.link(home / "models/m/a.bin", home / "models/again.bin")
    found = store_contents.contents()
    assert {kind.name for kind in found} == {"models", "kernels", "limits.json"}
    models = next(kind for kind in found if kind.name == "models")
    assert (models.files, models.bytes) == (1, (home / "models/m/a.bin").stat().st_blocks * 512)
    assert [kind.bytes for kind in found] == sorted((kind.bytes for kind in found), reverse=True)


def test_what_is_asked_is_removed_and_nothing_else(home: Path) -> None:
    (home / ".removed-tuned").mkdir()  # a process was killed while it cleared
    store_contents.clear(["models"])
    assert not (home / "models").exists() and not (home / ".removed-tuned").exists()
    store_contents.clear(store_contents.KINDS)
    assert {path.name for path in home.iterdir()} == {"rounds", "photos", store_contents.IN_USE}


@pytest.mark.parametrize("name", ["photos", "rounds", "..", "", "modles"])
def test_what_is_no_kind_is_refused_and_nothing_removed(home: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        store_contents.clear(["kernels", name])
    assert (home / "kernels/k.so").exists() and (home / "photos/me.jpg").exists()


def test_rounds_of_ones_own_are_said_to_be_so(home: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        store_contents.refuse_unknown(["rounds"])
    assert caught.value.hint == f"{home / 'rounds'} is yours to remove"


def test_a_link_is_removed_and_not_what_it_names(home: Path, tmp_path: Path) -> None:
    big = tmp_path / "big"
    (home / "models").rename(big)
    (home / "models").symlink_to(big)
    assert next(kind for kind in store_contents.contents() if kind.name == "models").bytes < 10_000
    store_contents.clear(["models"])
    assert (big / "m/a.bin").exists() and not (home / "models").is_symlink()


@pytest.mark.parametrize(
    "held",
    [
        "file = open(sys.argv[1] + '/models/m/a.bin')",
        "import mmap, os; f = os.open(sys.argv[1] + '/kernels/k.so', os.O_RDWR); "
        "m = mmap.mmap(f, 0); os.close(f)",
        "import os; os.chdir(sys.argv[1] + '/models')",
        "from pathlib import Path; from assay.ground import settings, store_contents; "
        "settings.set_home(Path(sys.argv[1])); block = store_contents.used(); block.__enter__()",
    ],
    ids=["open", "mapped", "folder", "used"],
)
def test_what_a_process_holds_stays(home: Path, held: str) -> None:
    command = [sys.executable, "-c", HOLD.format(held), str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "ready\n"
        with pytest.raises(EnvironmentProblem, match=f"in use by process {other.pid}"):
            store_contents.clear(["kernels"])
        assert (home / "kernels/k.so").exists()
        other.communicate("")
    store_contents.clear(["kernels"])
    assert not (home / "kernels").exists()


def test_a_store_that_is_not_there_or_cannot_be_written_to_hinders_nobody(tmp_path: Path) -> None:
    settings.set_home(tmp_path / "none")
    assert store_contents.contents() == ()
    store_contents.clear(["models"])
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("")
    settings.set_home(tmp_path / "file")
    with store_contents.used():
        pass
