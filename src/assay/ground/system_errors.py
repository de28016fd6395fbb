"""Errors of the operating system that come from the machine or a name, and are no bug of this program."""

from __future__ import annotations

import errno
import os

from assay.ground.errors import EnvironmentProblem

_SPACE, _MEMORY = "free some space", "free some memory, or ask for less"
_NAME, _LIMIT = "give another path", "close other programs, or raise the limit (ulimit -a)"
_HINTS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _SPACE),
    **dict.fromkeys((errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EILSEQ), _NAME),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY), _NAME),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EMLINK), _LIMIT),
    **dict.fromkeys((errno.ENOMEM,), _MEMORY),
}


def problem(error: OSError) -> EnvironmentProblem:
    """The error for a system call that failed: which name, the system's words, what to try."""
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is None and error.errno == errno.ENOENT and not _has_working_folder():
        return EnvironmentProblem("the working folder is gone", "change to a folder that is there")
    where = (
        f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes, os.PathLike)) else ""
    )
    return EnvironmentProblem(f"{where}{reason}", hint(error))


def hint(error: OSError) -> str:
    """What to try."""
    return _HINTS.get(error.errno or 0, "check the folder and its permissions")


def _has_working_folder() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - pathlib is not imported for this alone
    except OSError:
        return False
    return True
