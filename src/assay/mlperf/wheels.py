"""LoadGen wheels: the release a round pins, fetched once, checked, unpacked into Assay's store.

A wheel is never installed: the LoadGen child alone puts the unpacked folder on its `sys.path`, so that
several rounds can be run from one environment. Knows pip and zip files; nothing of what LoadGen does.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import psutil
from filelock import FileLock

from assay.ground import files, settings
from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.mlperf.round import Wheel

DISTRIBUTION = "mlcommons-loadgen"
UNPACKED_BYTES_MAX = 100 << 20
"""The wheels unpack to 1-3 MB; more is not a LoadGen wheel."""
FETCH_SECONDS_MAX = 300.0

PREGENERATED_BYTES = 47
"""LoadGen 4.x, Offline: bytes for each sample of each query it generates (765 MB at 4,000 x 4,000,
measured)."""
SAMPLE_BYTES = 450
"""LoadGen 5 and later: bytes a sample, at most. Source: measured over 225,000 to 2.2 million samples."""
LARGE_MB = 2000
"""From here on a LoadGen process runs alone on the machine."""


def file_for(wheel: Wheel) -> str | None:
    """The wheel file that fits this Python, system and processor; None when the release has none."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return next((name for name in sorted(wheel.sha256) if _fits(name, python)), None)


def obtain(wheel: Wheel) -> Path:
    """The folder that holds `mlperf_loadgen` of this release; fetched and unpacked on first use.

    Raises: EnvironmentProblem when the release has no wheel for this Python, ArtifactError when it cannot be
    fetched or is not the file whose SHA-256 the round names.
    """
    name = file_for(wheel)
    if name is None:
        raise EnvironmentProblem(
            f"LoadGen {wheel.version} has no wheel for Python {platform.python_version()} "
            f"on {sys.platform} {platform.machine()}",
            "use Python " + ", ".join(_pythons(wheel)) + ", or another round",
        )
    store = settings.home() / "loadgen"
    target = store / f"{wheel.version}-{sys.implementation.cache_tag}-{wheel.sha256[name][:12]}"
    if target.is_dir():
        return target
    store.mkdir(parents=True, exist_ok=True)
    with FileLock(store / ".lock"), tempfile.TemporaryDirectory(prefix=".stage-", dir=store) as stage:
        if not target.is_dir():  # another process may have finished while this one waited
            archive = _fetch(wheel, name, Path(stage))
            unpacked = Path(stage) / "unpacked"
            _unpack(archive, unpacked)
            unpacked.replace(target)
    return target


def reads_audit_config(wheel: Wheel) -> bool:
    """LoadGen 4.x takes an audit.config for a second user.conf, an error in its log, and reads the sampling of
    answers from no file at all (measured with 4.1.12 to 4.1.30): both are then set in its settings."""
    return not wheel.version.startswith("4.")


def memory_mb(wheel: Wheel, samples: int, samples_per_query: int) -> float:
    """Memory that an Offline performance run of this release needs.

    LoadGen 4.x generates as many queries as the dataset has samples, each of the full size, and uses one.
    Example: 4.1.30 over the official 15,000 samples needs 10.6 GB.
    """
    if wheel.version.startswith("4."):
        return 30 + samples * samples_per_query * PREGENERATED_BYTES / 1e6
    return wheel.memory_mb + samples_per_query * SAMPLE_BYTES / 1e6


@contextmanager
def memory_reserved(needed_mb: float, what: str) -> Iterator[None]:
    """Runs the block when `needed_mb` are free, and for large needs while no other such block runs.

    Raises: EnvironmentProblem with both numbers when less is free.
    """
    if needed_mb < LARGE_MB:
        _refuse_without(needed_mb, what)
        yield
        return
    folder = settings.home() / "loadgen"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".large.lock"):
        _refuse_without(needed_mb, what)
        yield


def _refuse_without(needed_mb: float, what: str) -> None:
    free_mb = psutil.virtual_memory().available / 1e6
    if free_mb < needed_mb:
        raise EnvironmentProblem(
            f"{what} needs {needed_mb:,.0f} MB of memory and {free_mb:,.0f} MB are free",
            "end other programs, use fewer samples, or a later round (LoadGen 5 and later need some 20 MB)",
        )


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
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += [
        "--only-binary=:all:",
        "--require-hashes",
        "--dest",
        str(stage),
        "--requirement",
        str(requirements),
    ]
    hint = f"check the network, or lay {name} into {settings.home() / 'loadgen'} by hand"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        raise ArtifactError(
            f"LoadGen {wheel.version} was not fetched in {FETCH_SECONDS_MAX:g} s", hint
        ) from None
    archive = stage / name
    if done.returncode != 0 or not archive.is_file():
        reason = next(
            (line for line in reversed(done.stderr.splitlines()) if line.strip()), "pip gave no reason"
        )
        raise ArtifactError(f"LoadGen {wheel.version} could not be fetched: {reason}", hint)
    return archive


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
