"""The doctor: what this machine can and cannot do with Assay, each finding with its fix.

Asks the parts that know (rounds, sandbox, languages, quiet); decides nothing itself. Runs no model.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay import suts
from assay.ground import download, extras, memory, settings
from assay.ground.count import size_text
from assay.ground.errors import AssayError, EnvironmentProblem
from assay.machine import quiet
from assay.machine.container import run as container
from assay.mlperf.rounds import round as rounds
from assay.mlperf.run import wheels
from assay.mlperf.scoring.programs import language as languages
from assay.sandbox import sandbox as sandboxes

PYTHON_LEAST = (3, 10)
PACKAGES = {
    "pyarrow": "no benchmark runs, and no Parquet file is read",
    "torch": "the engine and the transformers SUT do not run",
    "transformers": "the transformers SUT, `assay parity` and `assay model upcycle` do not run",
    "sympy": "MATH-500 of deepseek-r1 stays ungraded",
    "nltk": "summaries (ROUGE-Lsum) are not scored",
    "requests": "hooks of CM and MLC recipes that import it fail",
}
"""Library that an extra brings -> what is lost without it."""
DISK_LEAST = 5e9
"""Bytes below which a run with logs, wheels and a small checkpoint may not fit."""
MEMORY_LEAST = 2e9
"""Bytes that the embedded benchmark needs, with a margin. Source: `assay plan`."""
ENGINES = ("docker", "podman")
CONTAINER_S = 60.0
"""Longest time of one command of an engine; the first container of a machine needs an image."""
LANGUAGES = ("cpp", "javascript", "php", "python", "ruby", "typescript")
"""Of MBXP. Source: ids of the official dataset."""

OK, DEGRADED, MISSING = "ok", "limited", "no"
"""Works; works with something missing; does not work."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at."""

    subject: str
    state: str
    """OK, DEGRADED or MISSING"""
    message: str
    """What was found."""
    fix: str = ""
    is_vital: bool = False
    """MISSING here means that no benchmark can run."""


def examine() -> list[Diagnosis]:
    """Everything, in a fixed order; takes a few seconds, most of them for the languages."""
    looks: tuple[Callable[[], Iterator[Diagnosis]], ...] = (
        _python,
        _packages,
        _loadgen,
        _sandbox,
        _languages,
        _resources,
        _quiet,
        _tools,
        _suts,
    )
    return [finding for look in looks for finding in look()]


def can_run(findings: list[Diagnosis]) -> bool:
    return not any(finding.is_vital and finding.state == MISSING for finding in findings)


def _python() -> Iterator[Diagnosis]:
    fits = sys.version_info >= PYTHON_LEAST
    yield Diagnosis(
        "Python",
        OK if fits else MISSING,
        platform.python_version(),
        "" if fits else "Python 3.10 or later",
        True,
    )


def _packages() -> Iterator[Diagnosis]:
    """Libraries of the extras: those of the base are always there."""
    for name, lost in PACKAGES.items():
        is_vital = name == "pyarrow"
        try:
            yield Diagnosis(name, OK, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            fix = extras.install_command(extras.LIBRARIES[name])
            yield Diagnosis(name, MISSING if is_vital else DEGRADED, f"not installed: {lost}", fix, is_vital)


def _loadgen() -> Iterator[Diagnosis]:
    """Rounds whose LoadGen runs on this Python; a release is fetched, or built, on first use."""
    able = 0
    for name in rounds.names():
        found = _round(name)
        able += found.state == OK
        yield found
    if not able:
        yield Diagnosis(
            "LoadGen", MISSING, "no round can be run with this Python", "Python 3.11 on Linux", True
        )


def _round(name: str) -> Diagnosis:
    subject, problem = (
        f"round {name}",
        EnvironmentProblem("no LoadGen release carries its seeds", "another round"),
    )
    for wheel in rounds.load(name).wheels:
        if wheels.is_stored(wheel):
            return Diagnosis(subject, OK, f"LoadGen {wheel.version}: in the store")
        try:
            file = wheels.usable_file(wheel)
        except EnvironmentProblem as found:
            problem = found
            continue
        how = "built from its source on first use" if file.endswith(wheels.SOURCE) else file
        return Diagnosis(subject, OK, f"LoadGen {wheel.version}: {how}")
    return Diagnosis(subject, MISSING, problem.message, problem.hint)


def _sandbox() -> Iterator[Diagnosis]:
    try:
        with sandboxes.opened() as sandbox:
            yield Diagnosis("sandbox", OK, sandbox.isolation.name)
    except EnvironmentProblem as problem:
        yield Diagnosis("sandbox", MISSING, problem.message, problem.hint)


def _languages() -> Iterator[Diagnosis]:
    """MBXP's languages: tools found. A program of each is run when answers are graded."""
    for name in LANGUAGES:
        try:
            languages.find(name)
            yield Diagnosis(f"MBXP {name}", OK, "tools found")
        except AssayError as problem:
            yield Diagnosis(
                f"MBXP {name}", MISSING, f"{problem.message}: its programs stay ungraded", problem.hint
            )


def _resources() -> Iterator[Diagnosis]:
    free = memory.available()
    said = f"{size_text(free)} free of {size_text(memory.total())}"
    enough = free >= MEMORY_LEAST
    yield Diagnosis("memory", OK if enough else MISSING, said, "" if enough else "end other programs", True)
    for what, folder in (("disk of the store", settings.home()), ("disk of runs", Path.cwd())):
        free = download.free_bytes(folder)
        enough = free >= DISK_LEAST
        said = f"{size_text(free)} free at {folder}"
        yield Diagnosis(
            what, OK if enough else DEGRADED, said, "" if enough else "free space, or set ASSAY_HOME"
        )


def _quiet() -> Iterator[Diagnosis]:
    found = quiet.look()
    governor = found.governor or "not visible"
    said = "; ".join(found.disturbances) or f"quiet: load {found.load or 0:.1f} on {found.cores} cores"
    fix = "end other programs before timing anything" if found.disturbances else ""
    yield Diagnosis("timing", DEGRADED if found.disturbances else OK, f"{said}; governor {governor}", fix)


def _tools() -> Iterator[Diagnosis]:
    compiler = shutil.which("g++") or shutil.which("clang++")
    yield Diagnosis(
        "C++ compiler",
        OK if compiler else DEGRADED,
        compiler or "none: the engine runs on its plain kernels",
        "" if compiler else "apt-get install g++",
    )
    for name in ENGINES:
        yield _engine(name)
    gpu = shutil.which("nvidia-smi")
    yield Diagnosis("CUDA device", OK if gpu else DEGRADED, gpu or "none seen: --device cuda is refused")


def _suts() -> Iterator[Diagnosis]:
    """SUTs of other packages: those of Assay are always there."""
    for kind in suts.kinds():
        if kind.name not in suts.TABLE:
            yield Diagnosis(f"SUT {kind.name}", OK, kind.summary)
    for broken in suts.broken():
        yield Diagnosis(f"SUT {broken.name}", DEGRADED, broken.problem, "mend or uninstall that package")


ONLY_FOR = "only --container and `docker` recipes need one"


def _engine(name: str) -> Diagnosis:
    subject = f"container engine {name}"
    if shutil.which(name) is None:
        return Diagnosis(subject, DEGRADED, f"not installed; {ONLY_FOR}", f"apt-get install {name}")
    try:
        done = subprocess.run([name, "info"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Diagnosis(
            subject, DEGRADED, f"installed, but does not answer ({type(error).__name__})", f"start {name}"
        )
    if done.returncode:
        return Diagnosis(
            subject,
            DEGRADED,
            "installed, but not running",
            f"start its daemon: {ONLY_FOR}",
        )
    try:
        container.try_out(name, _container_said)
    except EnvironmentProblem as problem:
        return Diagnosis(subject, DEGRADED, problem.message, problem.hint)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Diagnosis(
            subject, DEGRADED, f"no container starts in {CONTAINER_S:g} s ({type(error).__name__})"
        )
    return Diagnosis(subject, OK, shutil.which(name) or name)


def _container_said(command: Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(
        command, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=CONTAINER_S, check=False
    )
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")
