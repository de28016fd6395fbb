"""Where CM and MLC keep their homes: `$CM_REPOS` or ~/CM, `$MLC_REPOS` or ~/MLC/repos."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay.ground import paths
from assay.recipes.contract.dialects import DIALECTS
from assay.recipes.home.repositories import Home


def home_from(environ: Mapping[str, str], dialect: str) -> Home:
    """The home of a dialect. The folder may be missing."""
    names = DIALECTS[dialect]
    below = Path(environ.get("HOME") or Path.home()) / names.home_folder
    return Home(paths.given(environ.get(names.key("REPOS")) or str(below)), names)
