"""Where the store is, as the environment says it."""

from __future__ import annotations

from pathlib import Path

from assay.ground import paths
from assay.ground.errors import EnvironmentProblem

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is too slow to import here
    from collections.abc import Mapping


def folder(environ: Mapping[str, str]) -> Path:
    """$ASSAY_HOME, else $XDG_CACHE_HOME/assay, else ~/.cache/assay. Raises: EnvironmentProblem without any home,
    and for a file."""
    chosen, cache = environ.get("ASSAY_HOME"), environ.get("XDG_CACHE_HOME")
    try:
        if chosen:
            home = paths.given(chosen)
            if home.exists() and not home.is_dir():
                raise EnvironmentProblem(
                    f"ASSAY_HOME: {home} is a file, the store is a folder", "set it to a folder"
                )
            return home
        return (Path(cache) if cache else Path.home() / ".cache") / "assay"
    except RuntimeError as error:  # an unknown user without HOME
        raise EnvironmentProblem(f"no place for the store: {error}", "set ASSAY_HOME to a folder") from error
