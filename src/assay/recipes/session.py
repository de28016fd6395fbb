"""What all recipes of one run share: who is asked, where words go, what was chosen, what was recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.recipes.choosing import Chooser
from assay.recipes.console import Console
from assay.recipes.contract.automation import Automation
from assay.recipes.contract.hooks import Workbench
from assay.recipes.contract.native import NativeScripts
from assay.recipes.index import Index
from assay.recipes.store import Store


@dataclass(frozen=True)
class Policy:
    """How this runner differs from CM, as far as the user decides."""

    strict: bool = False  # CM's reading of `--v=False`: true
    exact_cache: bool = False  # --cache=exact: the whole CacheKey decides, not the tags alone


@dataclass
class Step:
    """One recipe of a run, for the lock file and for comparisons."""

    depth: int
    alias: str
    tags: str
    variations: str
    version: str = ""
    cached: bool = False
    folder: str = ""
    repository: str = ""
    digest: str = ""


@dataclass
class Session:
    """One top-level run."""

    index: Index
    store: Store
    console: Console
    chooser: Chooser
    workbench: Workbench
    scripts: NativeScripts
    automation: Automation
    policy: Policy
    folder: Path
    access: Callable[..., dict[str, Any]]
    silent: bool = False
    verbose: bool = False
    fake_deps: bool = False
    version_info: list[dict[str, Any]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def info(self, text: str) -> None:
        """A line of the log, as CM's logger writes it."""
        if not self.silent:
            self.console.note(f"INFO:root:{text}")

    def debug(self, text: str) -> None:
        if self.verbose and not self.silent:
            self.console.note(f"DEBUG:root:{text}")
