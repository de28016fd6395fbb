"""An index over one repository folder, which need not be registered. For `lint`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.ground import scratch
from assay.recipes.contract.dialects import DIALECTS
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import Index
from assay.recipes.home.repositories import Home
from assay.recipes.model.artifact import Repository


class FolderHome(Home):
    """A home with only the given folder as its repository. Its working files are in `root`."""

    def __init__(self, root: Path, folder: Path, dialect: str) -> None:
        super().__init__(root, DIALECTS[dialect])
        self._folder = folder

    def repositories(self) -> list[Repository]:
        if self._repositories is None:
            repository = self.read_repository(self._folder)
            self._repositories = [repository] if repository else []
        return self._repositories


@contextmanager
def index_of_folder(folder: Path) -> Iterator[tuple[Index, Repository]]:
    """The index of a folder, in the dialect of its description. Its working files are deleted at the end of the block.

    Raises: RecipeFault (1) when the folder has no repository description.
    """
    with scratch.folder("assay-lint-") as place:
        for name in ("cm", "mlc"):
            home = FolderHome(place / name, folder, name)
            if home.repositories():
                yield Index(home), home.repositories()[0]
                return
    raise RecipeFault(f"{folder} is no repository", 1, "give a folder with cmr.yaml or meta.yaml, or a name")
