"""The first steps of every child process: end with its parent, take over the settings, run its module.

Started by `host.start_child` as `python -m assay.mlperf.sut.child_main FD MODULE ARGUMENTS`. MODULE has a function
`main(control, *arguments)` that gives the exit code. FD is the child's end of the control connection.
"""

from __future__ import annotations

import sys

from assay.ground import lifeline


def main(control_fd: int, module: str, *arguments: str) -> int:
    lifeline.tie(control_fd)  # before anything slow: the parent may be gone already
    import importlib
    from multiprocessing.connection import Connection

    from assay.ground import settings

    control = Connection(control_fd)
    path, inherited = control.recv()
    sys.path[:] = path
    settings.adopt(inherited)
    code: int = importlib.import_module(module).main(control, *arguments)
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
