"""An index over one repository folder that need not be registered anywhere: for `lint`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from assay.recipes.contract.dialect import DIALECTS
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import Index
from assay.recipes.home.repositories import Home
from assay.recipes.model.artifact import Repository


class FolderHome(Home):
    """A home whose only repository is the given folder; its working files live as long as the process."""

    def __init__(self, folder: Path, dialect: str) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="assay-lint-")
        super().__init__(Path(self._scratch.name), DIALECTS[dialect])
        self._folder = folder

    def repositories(self) -> list[Repository]:
        if self._repositories is None:
            repository = self.read_repository(self._folder)
            self._repositories = [repository] if repository else []
        return self._repositories


def index_of_folder(folder: Path) -> tuple[Index, Repository]:
    """The index of a folder in the dialect that its description is written in.

    Raises: RecipeFault (1) when it describes no repository.
    """
    for name in ("cm", "mlc"):
        home = FolderHome(folder, name)
        if home.repositories():
            return Index(home), home.repositories()[0]
    raise RecipeFault(f"{folder} is no repository", 1, "give a folder with cmr.yaml or meta.yaml, or a name")
