"""Where the store is, as the environment says it."""

from __future__ import annotations

from pathlib import Path

from assay.ground import paths
from assay.ground.errors import EnvironmentProblem

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is too slow to import here
    from collections.abc import Mapping


def folder(environ: Mapping[str, str]) -> Path:
    """$ASSAY_HOME, else $XDG_CACHE_HOME/assay, else ~/.cache/assay. Raises: EnvironmentProblem without any home."""
    chosen, cache = environ.get("ASSAY_HOME"), environ.get("XDG_CACHE_HOME")
    try:
        if chosen:
            return paths.given(chosen)
        return (Path(cache) if cache else Path.home() / ".cache") / "assay"
    except RuntimeError as error:  # an unknown user without HOME
        raise EnvironmentProblem(f"no place for the store: {error}", "set ASSAY_HOME to a folder") from error
