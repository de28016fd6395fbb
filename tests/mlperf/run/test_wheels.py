from __future__ import annotations

import base64
import errno
import hashlib
import platform
import shutil
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from assay.ground import settings
from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.mlperf.rounds.round import Wheel
from assay.mlperf.run import wheels

PYTHON = f"cp{sys.version_info.major}{sys.version_info.minor}"
SYSTEM = {"Linux": "manylinux2014", "Darwin": "macosx_11_0"}.get(platform.system(), "none")
NAME = f"mlcommons_loadgen-9.9.9-{PYTHON}-{PYTHON}-{SYSTEM}_{platform.machine()}.whl"
RECORD = "mlcommons_loadgen-9.9.9.dist-info/RECORD"


def digest_in_record(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(autouse=True)
def empty_store(tmp_path: Path) -> Path:
    settings.set_home(tmp_path / "store")
    folder = tmp_path / "store" / "loadgen"
    folder.mkdir(parents=True)
    return folder


def laid_by_hand(folder: Path, members: dict[str, str]) -> Wheel:
    """A wheel file in the store, and the pin that names its true hash."""
    lines = [f"{name},sha256={digest_in_record(text)},{len(text)}" for name, text in members.items()]
    with zipfile.ZipFile(folder / NAME, "w") as archive:
        for name, text in {**members, RECORD: "\n".join([*lines, f"{RECORD},,"])}.items():
            archive.writestr(name, text)
    digest = hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
    return Wheel("9.9.9", {NAME: digest}, 25)


def test_a_wheel_is_unpacked_once_and_found_again(empty_store: Path) -> None:
    wheel = laid_by_hand(empty_store, {"mlperf_loadgen.py": "seed = 7", "sub/data.txt": "x"})
    folder = wheels.obtain(wheel)
    assert (folder / "mlperf_loadgen.py").read_text() == "seed = 7"
    assert (folder / "sub" / "data.txt").is_file()
    (empty_store / NAME).unlink()
    assert wheels.obtain(wheel) == folder
    assert not list(empty_store.glob(".stage-*"))


def test_what_a_killed_process_left_of_another_wheel_is_removed_with_the_next_one(empty_store: Path) -> None:
    (empty_store / ".stage-k1ll3d_0").mkdir()
    wheels.obtain(laid_by_hand(empty_store, {"mlperf_loadgen.py": "seed = 7"}))
    assert not list(empty_store.glob(".stage-*"))


def test_what_was_damaged_in_the_store_is_unpacked_again(empty_store: Path) -> None:
    wheel = laid_by_hand(empty_store, {"mlperf_loadgen.py": "seed = 7", "sub/data.txt": "x"})
    folder = wheels.obtain(wheel)
    (folder / "mlperf_loadgen.py").write_text("seed =")
    (folder / "sub" / "data.txt").unlink()
    assert not wheels.is_stored(wheel)
    assert wheels.obtain(wheel) == folder
    assert (folder / "mlperf_loadgen.py").read_text() == "seed = 7"
    assert (folder / "sub" / "data.txt").is_file()
    assert wheels.is_stored(wheel)


def test_a_full_store_is_named_and_nothing_half_is_left_in_it(
    empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = laid_by_hand(empty_store, {"mlperf_loadgen.py": "seed = 7"})

    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EnvironmentProblem, match=r"disk full while writing .*loadgen"):
        wheels.obtain(wheel)
    assert [path for path in empty_store.iterdir() if path.is_dir()] == []


SOURCE = "mlcommons_loadgen-9.9.9.tar.gz"


def source_release(folder: Path) -> Wheel:
    """A release without a wheel for this Python, its source archive laid by hand."""
    build = folder.parent / "build"
    build.mkdir()
    (build / "setup.py").write_text(
        "from setuptools import setup; setup(name='mlcommons_loadgen', version='9.9.9', py_modules=['mlperf_loadgen'])"
    )
    (build / "mlperf_loadgen.py").write_text("seed = 9")
    with tarfile.open(folder / SOURCE, "w:gz") as archive:
        archive.add(build, arcname="mlcommons_loadgen-9.9.9")
    digest = hashlib.sha256((folder / SOURCE).read_bytes()).hexdigest()
    return Wheel("9.9.9", {NAME.replace(PYTHON, "cp38"): "0" * 64, SOURCE: digest}, 25)


def test_a_release_without_a_wheel_for_this_python_is_built_from_its_source(
    empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("setuptools", "77", reason="the build is done with what is installed")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip reads it as: without isolation
    wheel = source_release(empty_store)
    assert wheels.file_for(wheel) == SOURCE
    try:
        wheels.usable_file(wheel)
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)
    folder = wheels.obtain(wheel)
    assert (folder / "mlperf_loadgen.py").read_text() == "seed = 9"
    assert wheels.is_stored(wheel)


@pytest.mark.parametrize(("lacking", "fix"), [("compiler", "g++"), ("headers", "-dev")])
def test_a_source_that_cannot_be_built_here_is_refused_with_what_to_install(
    empty_store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lacking: str, fix: str
) -> None:
    wheel = source_release(empty_store)
    if lacking == "compiler":
        monkeypatch.setattr(shutil, "which", lambda name: None)
    else:
        monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/" + name)
        monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="must be built from its source") as failure:
        wheels.obtain(wheel)
    assert fix in failure.value.hint and "3.8" in failure.value.hint


def test_a_wheel_with_another_hash_is_refused_and_leaves_nothing(empty_store: Path) -> None:
    laid_by_hand(empty_store, {"mlperf_loadgen.py": ""})
    with pytest.raises(ArtifactError, match="has SHA-256"):
        wheels.obtain(Wheel("9.9.9", {NAME: "0" * 64}, 25))
    assert [path for path in empty_store.iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("name", ["../evil.py", "/evil.py", "a/../../evil.py", "..\\evil.py", "C:/evil.py"])
def test_a_wheel_that_would_write_elsewhere_is_refused(empty_store: Path, name: str) -> None:
    wheel = laid_by_hand(empty_store, {"mlperf_loadgen.py": "", name: "evil"})
    with pytest.raises(ArtifactError, match="unsafe path"):
        wheels.obtain(wheel)
    assert not list(empty_store.parent.parent.rglob("*evil.py"))


def test_an_archive_that_unpacks_to_far_too_much_is_refused(
    empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "UNPACKED_BYTES_MAX", 100)
    with pytest.raises(ArtifactError, match="unpacks to more"):
        wheels.obtain(laid_by_hand(empty_store, {"mlperf_loadgen.py": "x" * 101}))


def test_a_file_that_is_no_zip_is_refused(empty_store: Path) -> None:
    (empty_store / NAME).write_bytes(b"not a zip")
    digest = hashlib.sha256(b"not a zip").hexdigest()
    with pytest.raises(ArtifactError, match="not a wheel"):
        wheels.obtain(Wheel("9.9.9", {NAME: digest}, 25))


def test_a_release_without_a_wheel_for_this_python_names_those_it_has() -> None:
    wheel = Wheel("9.9.9", {NAME.replace(PYTHON, "cp38"): "0", NAME.replace(PYTHON, "cp39"): "0"}, 25)
    assert wheels.file_for(wheel) is None
    with pytest.raises(EnvironmentProblem, match="no wheel for Python") as failure:
        wheels.obtain(wheel)
    assert "3.8, 3.9" in failure.value.hint


def test_a_wheel_that_cannot_be_fetched_says_where_to_lay_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ArtifactError, match="could not be fetched") as failure:
        wheels.obtain(Wheel("9.9.9", {NAME: "0" * 64}, 25))
    assert NAME in failure.value.hint and "store" in failure.value.hint


def test_a_wheel_in_the_store_whose_record_was_emptied_is_damaged(empty_store: Path) -> None:
    wheel = laid_by_hand(empty_store, {"mlperf_loadgen.py": "x"})
    record = wheels.obtain(wheel) / RECORD
    record.write_text("")
    assert not wheels.is_stored(wheel)
    wheels.obtain(wheel)
    assert record.read_text()
