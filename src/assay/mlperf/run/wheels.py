"""LoadGen wheels: the release a round pins, fetched once, checked, unpacked into Assay's store.

A wheel is never installed: the LoadGen child alone puts the unpacked folder on its `sys.path`, so that
several rounds can be run from one environment. Where a release has no wheel for this Python, its source archive
is built here. Knows pip, zip files and compilers; nothing of what LoadGen does.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from assay.ground import files, lock, scratch, settings
from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.mlperf.rounds.round import Wheel

DISTRIBUTION = "mlcommons-loadgen"
UNPACKED_BYTES_MAX = 100 << 20
"""The wheels unpack to 1-3 MB; more is not a LoadGen wheel."""
FETCH_SECONDS_MAX = 300.0
"""For pip to fetch one file of some MB. A choice: a hanging network ends in a sentence."""
BUILD_SECONDS_MAX = 1800.0
"""For a build, which takes a minute on a machine at rest. A choice, as above."""
SOURCE = ".tar.gz"
"""How the name of a release's source archive ends."""


def file_for(wheel: Wheel) -> str | None:
    """The wheel file that fits this Python, system and processor, else the source archive that a compiler makes
    one of; None when the release has neither."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    fitting = (name for name in sorted(wheel.sha256) if _fits(name, python))
    return next(fitting, None) or next((name for name in wheel.sha256 if name.endswith(SOURCE)), None)


def is_stored(wheel: Wheel) -> bool:
    """Is the release in the store, undamaged?"""
    name = file_for(wheel)
    return name is not None and _is_intact(_place_of(wheel, name))


def usable_file(wheel: Wheel) -> str:
    """As `file_for`. Raises: EnvironmentProblem when there is none, or when this machine cannot build it."""
    name, here = file_for(wheel), f"Python {platform.python_version()} on {sys.platform} {platform.machine()}"
    pythons = ", ".join(_pythons(wheel))
    if name is None:
        raise EnvironmentProblem(
            f"LoadGen {wheel.version} has no wheel for {here}", f"use Python {pythons}, or another round"
        )
    if not name.endswith(SOURCE):
        return name
    if shutil.which("c++") is None and shutil.which("g++") is None:
        lacks, package = "there is no C++ compiler", "g++"
    elif not Path(sysconfig.get_path("include"), "Python.h").is_file():
        lacks, package = "Python's headers are missing", f"python3.{sys.version_info.minor}-dev"
    else:
        return name
    raise EnvironmentProblem(
        f"LoadGen {wheel.version} has no wheel for {here} and must be built from its source, but {lacks}",
        f"apt-get install {package}, or use Python {pythons}",
    )


def refuse_unusable(wheel: Wheel) -> None:
    """Raises: EnvironmentProblem when the release is not in the store and this machine cannot get it there."""
    if not is_stored(wheel):
        usable_file(wheel)


def obtain(wheel: Wheel) -> Path:
    """The folder that holds `mlperf_loadgen` of this release; fetched and unpacked on first use.

    What was damaged in the store since is fetched again. Raises: EnvironmentProblem when the release has no wheel
    for this Python or the disk is full, ArtifactError when it cannot be fetched or is not the file whose SHA-256
    the round names.
    """
    refuse_unusable(wheel)
    name = file_for(wheel) or ""
    target = _place_of(wheel, name)
    if _is_intact(target):
        return target
    store = target.parent
    try:
        store.mkdir(parents=True, exist_ok=True)
        with lock.held(store / "wheels"), scratch.folder(".stage-", place=store) as stage:
            if not _is_intact(target):  # another process may have finished while this one waited
                _place(wheel, name, stage, target)
    except OSError as error:
        raise files.as_problem(error, target) from error
    return target


def _place_of(wheel: Wheel, name: str) -> Path:
    tag = sys.implementation.cache_tag
    return settings.home() / "loadgen" / f"{wheel.version}-{tag}-{wheel.sha256[name][:12]}"


def _fits(name: str, python: str) -> bool:
    tags = name.removesuffix(".whl").split("-")
    if len(tags) != 5 or tags[2] != python:
        return False
    machine = platform.machine().lower().replace("amd64", "x86_64")
    system = {"Linux": "manylinux", "Darwin": "macosx"}.get(platform.system())
    return system is not None and tags[4].startswith(system) and tags[4].endswith(machine)


def _pythons(wheel: Wheel) -> list[str]:
    """Python versions the release has wheels for, as `3.11`."""
    found = {match for name in wheel.sha256 for match in re.findall(r"-cp3(\d+)-", name)}
    return [f"3.{minor}" for minor in sorted(found, key=int)]


def _place(wheel: Wheel, name: str, stage: Path, target: Path) -> None:
    archive = _fetch(wheel, name, stage)
    if name.endswith(SOURCE):
        archive = _build(wheel, archive, stage)
    unpacked = stage / "unpacked"
    _unpack(archive, unpacked)
    if not _is_intact(unpacked):
        raise ArtifactError(
            f"{archive} is not a wheel: its RECORD does not hold", "delete it and fetch it again"
        )
    if target.exists():
        target.replace(stage / "damaged")
    unpacked.replace(target)


def _is_intact(folder: Path) -> bool:
    """Is every file there that the wheel's own RECORD lists, with its digest?"""
    record = next(folder.glob("*.dist-info/RECORD"), None)
    if record is None:
        return False
    rows = csv.reader(record.read_text(encoding="utf-8", errors="replace").splitlines())
    listed = [row for row in rows if len(row) == 3 and row[1]]
    return bool(listed) and all(_is_file(folder / name, digest) for name, digest, _ in listed)


def _is_file(path: Path, digest: str) -> bool:
    try:
        found = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
    except OSError:
        return False
    return digest == f"sha256={found}"


def _fetch(wheel: Wheel, name: str, stage: Path) -> Path:
    """`name` from the folder where a person may lay wheels by hand, else from the package index."""
    by_hand = settings.home() / "loadgen" / name
    archive = by_hand if by_hand.is_file() else _download(wheel, name, stage)
    found = files.sha256(archive)
    if found != wheel.sha256[name]:
        raise ArtifactError(
            f"{archive} has SHA-256 {found}, the round names {wheel.sha256[name]}",
            "delete the file and fetch it again; if that repeats, do not use it",
        )
    return archive


def _download(wheel: Wheel, name: str, stage: Path) -> Path:
    requirements = stage / "requirements.txt"
    requirements.write_text(
        f"{DISTRIBUTION}=={wheel.version} --hash=sha256:{wheel.sha256[name]}\n", encoding="utf-8"
    )
    form = "--no-binary=:all:" if name.endswith(SOURCE) else "--only-binary=:all:"
    asked = ["download", form, "--require-hashes", "--dest", str(stage), "--requirement", str(requirements)]
    hint = f"check the network, or lay {name} into {settings.home() / 'loadgen'} by hand"
    _pip(asked, f"LoadGen {wheel.version} could not be fetched", hint, FETCH_SECONDS_MAX)
    if not (stage / name).is_file():
        raise ArtifactError(f"LoadGen {wheel.version} could not be fetched: pip gave another file", hint)
    return stage / name


def _build(wheel: Wheel, source: Path, stage: Path) -> Path:
    """A wheel for this Python from a release's source archive, with the build tools that it pins: a minute."""
    folder = stage / "built"
    hint = "another Python: LoadGen has wheels for " + ", ".join(_pythons(wheel))
    asked = ["wheel", "--wheel-dir", str(folder), str(source)]
    _pip(asked, f"LoadGen {wheel.version} could not be built from its source", hint, BUILD_SECONDS_MAX)
    return next(folder.glob("*.whl"))


def _pip(asked: list[str], failure: str, hint: str, seconds_max: float) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *asked, "--no-deps"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds_max, check=False)
    except subprocess.TimeoutExpired:
        raise ArtifactError(f"{failure} in {seconds_max:g} s", hint) from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        if full := [line for line in lines if "No space left on device" in line]:
            raise EnvironmentProblem(
                f"{failure}: {full[-1]}", f"free space at {settings.home()} and {tempfile.gettempdir()}"
            )
        errors = [line for line in lines if "error" in line.lower()] or lines
        raise ArtifactError(f"{failure}: {errors[-1] if errors else 'pip gave no reason'}", hint)


def _unpack(archive: Path, target: Path) -> None:
    """Unpack regular files below `target`; a name that leads elsewhere or an oversized archive is refused."""
    try:
        with zipfile.ZipFile(archive) as wheel:
            members = [m for m in wheel.infolist() if not m.is_dir()]
            if sum(m.file_size for m in members) > UNPACKED_BYTES_MAX:
                raise ArtifactError(
                    f"{archive} unpacks to more than {UNPACKED_BYTES_MAX >> 20} MB", "do not use it"
                )
            for member in members:
                _refuse_escape(archive, member.filename)
                place = target / member.filename
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(wheel.read(member))
    except zipfile.BadZipFile as error:
        raise ArtifactError(f"{archive} is not a wheel: {error}", "delete it and fetch it again") from error


def _refuse_escape(archive: Path, name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0]:
        raise ArtifactError(f"{archive} holds the unsafe path {name!r}", "do not use it")
