"""Our kernels as a shared library: compiled for this processor at first use, then kept.

The file name is the digest of everything that decides its content: sources, flags, compiler and processor.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from pathlib import Path

from assay.ground import files, settings
from assay.ground.errors import EnvironmentProblem

SOURCES = Path(__file__).parent


def native(machine: str) -> str:
    """What GCC and clang both take for the processor they run on, which is a `machine`."""
    return "-mcpu=native" if machine.lower().startswith(("arm", "aarch64", "ppc")) else "-march=native"


NATIVE = native(platform.machine())
FLAGS = ("-std=c++17", "-O3", NATIVE, "-fopenmp", "-fPIC", "-shared")
COMPILERS = ("g++", "c++", "clang++")
BUILD_SECONDS_MAX = 600


def build(defines: tuple[str, ...] = ()) -> Path:
    """The library for this machine. `defines`: more compiler flags, for tests.

    Raises: EnvironmentProblem when there is no C++ compiler or it cannot compile the kernels.
    """
    compiler = next((path for name in COMPILERS if (path := shutil.which(name))), None)
    if compiler is None:
        raise EnvironmentProblem("no C++ compiler on this machine", "install g++, or run with kernels=torch")
    flags = FLAGS + defines
    target = settings.home() / "kernels" / f"{_digest(compiler, flags)}.so"
    if not target.exists():
        with files.staged(target) as staging:
            _compile(compiler, flags, staging)
    return target


def _compile(compiler: str, flags: tuple[str, ...], out: Path) -> None:
    done = _run(compiler, *flags, *map(str, sorted(SOURCES.glob("*.cpp"))), "-o", str(out))
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr[-300:])
        raise EnvironmentProblem(
            f"{compiler} could not compile the kernels: {reason.strip() or f'exit code {done.returncode}'}",
            "install g++ 11 or newer, or kernels=torch",
        )


def _run(compiler: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            (compiler, *arguments), capture_output=True, text=True, timeout=BUILD_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentProblem(
            f"{compiler} was not done after {BUILD_SECONDS_MAX} s",
            "start again when the machine is less busy, or run with kernels=torch",
        ) from error
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"{compiler} cannot be run: {error}", "kernels=torch") from error


def _digest(compiler: str, flags: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for source in sorted(SOURCES.glob("*.cpp")) + sorted(SOURCES.glob("*.h")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    digest.update("\0".join((*flags, _run(compiler, "--version").stdout, _processor())).encode())
    return digest.hexdigest()[:16]


def _processor() -> str:
    """What NATIVE looks at: model and instruction sets, of every kind of core."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    names = ("model", "flags", "cpu family", "Features", "CPU implementer", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(names)}))
