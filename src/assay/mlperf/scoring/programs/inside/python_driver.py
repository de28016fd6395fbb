"""Runs inside the sandbox, never imported: executes one program as mxeval does and proves that it came to its end.

Standard input: a secret of SECRET_BYTES, then the program. The program passes when executing it raises nothing at
all; one that leaves with `sys.exit(0)` or `os._exit(0)` has not passed. The proof is the secret on standard output,
with exit status 0. Source: mxeval e09974f9, execution of python. Why this way: docs/adr/0006-verdicts.md.
"""

import builtins
import io
import os
import shutil
import subprocess
import sys
from typing import NoReturn

SECRET_BYTES = 32

DISABLED = {
    os: "chdir chmod chown chroot fchdir fchmod fchown fork forkpty getcwd kill killpg lchflags lchmod "
    "lchown putenv remove removedirs rename renames replace rmdir setuid system truncate unlink",
    shutil: "chown move rmtree",
    subprocess: "Popen",
    builtins: "exit help quit",
}
"""What mxeval takes away: a program that needs one of these fails there, too."""

ABSENT_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")


class Silent(io.StringIO):
    """Standard streams of the program: writing does nothing, reading is an error."""

    def write(self, text: str) -> int:
        return len(text)

    def readable(self) -> bool:
        return False

    def read(self, size: int | None = -1) -> NoReturn:
        raise OSError("not readable")

    readline = readlines = read


def rest_of_stdin() -> str:
    """Stays open: else the next file that the program opens would be number 0."""
    with open(0, "rb", closefd=False) as file:
        return file.read().decode("utf-8")


def main() -> None:
    read, write, getpid, leave = os.read, os.write, os.getpid, os._exit
    for module, names in DISABLED.items():
        for name in names.split():
            setattr(module, name, None)
    sys.modules.update(dict.fromkeys(ABSENT_MODULES))  # type: ignore[arg-type]
    sys.stdin = sys.stdout = sys.stderr = Silent()
    try:
        # While the program runs, the secret has no name: it lies on the value stack of this frame, which neither
        # frames nor the garbage collector show. A child that the program forks is another process and gets nothing to
        # write: else the program could try one answer in each. The line must stay one expression.
        write(1, read(0, SECRET_BYTES) * (getpid() == getpid(*(exec(rest_of_stdin(), {}) or ()))))  # type: ignore[func-returns-value]
    except BaseException:
        leave(1)
    leave(0)


main()
