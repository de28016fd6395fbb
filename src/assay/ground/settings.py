"""The few settings of the process that cannot be passed down by hand: where Assay keeps its store.

The command line calls `set_home` once, from $ASSAY_HOME or $XDG_CACHE_HOME; libraries use `home()`. A child process
adopts what its parent sends (`mlperf.sut.child_main`), so that no setting is read from the environment twice.
"""

from __future__ import annotations

from pathlib import Path


class Settings:
    """All of them; what a child process is given. Plain, as every command imports it and `dataclasses` takes 5 ms.

    `home` is the folder of the store; None = ~/.cache/assay.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.home = home


_current = Settings()


def current() -> Settings:
    return _current


def adopt(settings: Settings) -> None:
    """Take over the settings of the parent process."""
    global _current
    _current = settings


def set_home(path: Path) -> None:
    adopt(Settings(home=path))


def home() -> Path:
    """Folder of the store (wheels, models, datasets, built kernels); created by the first writer."""
    return _current.home if _current.home is not None else Path.home() / ".cache" / "assay"
