"""The state that all recipes of one run share: console, log, choices and records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assay.recipes.contract.flags import Flags
from assay.recipes.contract.hooks import HookProcessState
from assay.recipes.home.index import Index
from assay.recipes.run.automation import Automation
from assay.recipes.run.choosing import Chooser
from assay.recipes.run.console import Console
from assay.recipes.run.native import NativeScripts
from assay.recipes.run.request import Answering
from assay.recipes.run.version_detection import HookServices
from assay.recipes.values import Values

if TYPE_CHECKING:
    from assay.recipes.home.store import Store

Access = Callable[..., Values]


class Policy(NamedTuple):
    """The differences between this runner and CM that the user decides."""

    strict: bool = False  # CM's reading of `--v=False`: true
    exact_cache: bool = False  # --cache=exact: the whole CacheKey decides, not only the tags


class RecordedStep:
    """One recipe of a run, for the lock file and for comparisons. `version` is set after its run."""

    def __init__(
        self, depth: int, alias: str, tags: str, variations: str, folder: str, repository: str
    ) -> None:
        self.depth = depth
        self.alias = alias
        self.tags = tags
        self.variations = variations
        self.folder = folder
        self.repository = repository
        self.version = ""


class RunSession:
    """One top-level run, started in `folder`. Hooks and scripts start with the environment `host_env`."""

    def __init__(
        self,
        index: Index,
        console: Console,
        host_env: Mapping[str, str],
        access: Access,
        policy: Policy,
        flags: Flags,
        folder: Path,
    ) -> None:
        self.home = index.home
        self.index = index
        self.console = console
        self.chooser = Chooser(index, console)
        self._store: Store | None = None
        self.process_state = HookProcessState(dict(host_env))
        self.scripts = NativeScripts(self.home.dialect, self.process_state, self.info)
        self.automation = Automation(HookServices(self.scripts, access, console.ask), self.home.work)
        self.access = access
        self.policy = policy
        self.folder = folder
        self.silent = flags.silent
        self.verbose = flags.verbose
        self.fake_deps = flags.fake_deps
        self.answering = Answering(
            self.chooser,
            host_env,
            strict=policy.strict,
            verbose=flags.verbose,
            info=self.info,
            debug=self.debug,
        )
        self.run_state: Values = {}  # of the requested recipe
        self.version_info: list[Values] = []
        self.steps: list[RecordedStep] = []

    @property
    def store(self) -> Store:
        """The cache. Made, and its module imported, at the first use."""
        if self._store is None:
            from assay.recipes.home.store import Store

            self._store = Store(self.index)
        return self._store

    def info(self, text: str) -> None:
        """Writes a line of the log in the form of CM's logger."""
        if not self.silent:
            self.console.note(f"INFO:root:{text}")

    def debug(self, text: str) -> None:
        if self.verbose and not self.silent:
            self.console.note(f"DEBUG:root:{text}")
