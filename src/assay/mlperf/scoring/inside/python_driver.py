"""Runs inside the sandbox, never imported: executes one program as mxeval does and reports by exit status.

argv: the file of the program. It passes when executing it raises nothing at all; a program that leaves with
`sys.exit(0)` or `os._exit(0)` has not passed. Source: mxeval e09974f9, execution of python.
"""

import builtins
import os
import shutil
import subprocess
import sys
from typing import NoReturn

PASSED = 86
"""Told apart from 0, which a program can reach by leaving early."""

DISABLED = {
    os: "chdir chmod chown chroot fchdir fchmod fchown fork forkpty getcwd kill killpg lchflags lchmod "
    "lchown putenv remove removedirs rename renames replace rmdir setuid system truncate unlink",
    shutil: "chown move rmtree",
    subprocess: "Popen",
    builtins: "exit help quit",
}
"""What mxeval takes away: a program that needs one of these fails there, too."""

ABSENT_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")


class Silent:
    """Standard streams of the program: writing does nothing, reading is an error."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def read(self, size: int = -1) -> NoReturn:
        raise OSError("not readable")

    readline = readlines = read


def main() -> None:
    leave = os._exit
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 (a Path costs a tenth of the run)
        program = file.read()
    for module, names in DISABLED.items():
        for name in names.split():
            setattr(module, name, None)
    sys.modules.update(dict.fromkeys(ABSENT_MODULES))  # type: ignore[arg-type]
    sys.stdin = sys.stdout = sys.stderr = Silent()
    try:
        exec(program, {})
    except BaseException:
        leave(1)
    leave(PASSED)


main()
