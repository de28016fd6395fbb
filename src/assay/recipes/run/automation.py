"""The object that hooks get as `automation`: it finds tools (`tool_search`), learns their versions
(`version_detection`), and holds what hooks read of a run.

Its methods take and return dictionaries with `return` and `error`, as hooks expect.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.recipes.contract import shell
from assay.recipes.contract.dialect import SCRIPT_UID
from assay.recipes.model.dependencies import local_keys, update_named
from assay.recipes.run.tool_search import ToolSearch
from assay.recipes.run.version_detection import Answer, HookServices
from assay.recipes.values import Values


class WithLogger:
    """Gives hooks `automation.logger`. The module logging is imported at the first use."""

    @property
    def logger(self) -> Any:
        import logging

        return logging.getLogger("assay.recipes")


class Bridge(WithLogger):
    """The object that hooks get as `automation.cmind` and `automation.action_object`. They use it to request other
    actions."""

    def __init__(self, access: Callable[..., Answer]) -> None:
        self.access = access


class Automation(ToolSearch, WithLogger):
    """One object for a whole run. The hooks of all its recipes get the same object."""

    def __init__(self, services: HookServices, folder: Path) -> None:
        super().__init__(services)
        self.cmind = self.action_object = Bridge(services.access)
        self.meta = {"alias": "script", "uid": SCRIPT_UID, "deps": {"cache": "cache,541d6f712a6b464e"}}
        self.os_info = shell.host_info(self.dialect)
        self.local_env_keys = local_keys(self.dialect)
        self.path = str(folder)
        self.run_state: Values = {}

    def update_deps(self, i: Answer) -> Answer:
        """Adds tags, versions and other values to dependencies by name."""
        update_named(i["deps"], i["update_deps"], i.get("env") or {})
        return {"return": 0}

    def clean_some_tmp_files(self, i: Answer) -> Answer:
        """Removes the working files of a native script."""
        shell.clean(shell.WORKING_FILES)
        return {"return": 0}

    def _available_variations(self, i: Answer) -> Answer:
        """The variations of a description."""
        return {"return": 0, "variations": list((i.get("meta") or {}).get("variations") or {})}
