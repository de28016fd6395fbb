"""Where CM and MLC keep their homes: `$CM_REPOS` or ~/CM, `$MLC_REPOS` or ~/MLC/repos."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay.ground import paths
from assay.recipes.contract.dialect import DIALECTS
from assay.recipes.repositories import Home


def home_from(environ: Mapping[str, str], dialect: str) -> Home:
    """The home of a dialect. The folder need not exist yet."""
    if dialect == "mlc":
        root = environ.get("MLC_REPOS") or str(Path(environ.get("HOME") or Path.home()) / "MLC" / "repos")
    else:
        root = environ.get("CM_REPOS") or str(Path(environ.get("HOME") or Path.home()) / "CM")
    return Home(paths.given(root), DIALECTS[dialect])
