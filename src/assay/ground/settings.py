"""The few settings of the process that cannot be passed down by hand: where Assay keeps its store.

The command line calls `set_home` once, from $ASSAY_HOME or $XDG_CACHE_HOME; libraries use `home()`.
"""

from __future__ import annotations

from pathlib import Path

_home: Path | None = None


def set_home(path: Path) -> None:
    global _home
    _home = path


def home() -> Path:
    """Folder of the store (wheels, models, datasets, built kernels); created on first use by who writes."""
    return _home if _home is not None else Path.home() / ".cache" / "assay"
