"""The home of CM or MLC: the registered repositories and the order in which they are searched."""

from __future__ import annotations

import marshal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.recipes.contract.cm import CM
from assay.recipes.contract.dialect import Dialect
from assay.recipes.contract.names import ArtifactName
from assay.recipes.errors import NOT_FOUND, RecipeFault
from assay.recipes.home.descriptions import DescriptionStore, write_cache_file
from assay.recipes.model.artifact import Repository

LOCAL_UID = "9a3280b14a4285c9"  # the same in CM and MLC
REPAIR = "repair it, or remove it and pull again"


class Home:
    """One `$CM_REPOS` or `$MLC_REPOS` with the working files that belong to it."""

    def __init__(self, root: Path, dialect: Dialect = CM) -> None:
        self.root = root
        self.dialect = dialect
        self.work = root / ".assay"  # only working files: it can be deleted at any time
        self.descriptions = DescriptionStore(self.work / "parsed")
        self.folder = dialect.repositories_folder(root)  # where clones live
        self.local = self.folder / "local"  # always present; holds the user's own artifacts
        self.cache = self.local / "cache"
        self._repositories: list[Repository] | None = None

    @property
    def logs(self) -> Path:
        """The folder for the output of failed scripts."""
        return self.work / "logs"

    def repositories(self) -> list[Repository]:
        """Registered repositories in search order, `local` first; folders without a description are left out."""
        if self._repositories is None:
            self.make_local()
            if (self.work / "updating").exists():
                from assay.recipes.home.clones import mend

                mend(self)
            paths = [self.local, *(path for path in self.registered() if path != self.local)]
            self._repositories = [repo for path in paths if (repo := self.read_repository(path))]
        return self._repositories

    def pulled(self) -> list[Repository]:
        """All repositories except `local`."""
        return [repo for repo in self.repositories() if repo.path != self.local]

    def find(self, name: str) -> list[Repository]:
        """The repositories with this name; all of them for an empty name."""
        wanted = ArtifactName.parse(name)
        return [repo for repo in self.repositories() if not wanted or repo.answers_to(wanted)]

    def one(self, name: str) -> Repository:
        """The one repository of that name.

        Raises: RecipeFault (1) when there is none or more than one.
        """
        found = self.find(name)
        if len(found) != 1:
            known = ", ".join(repo.path.name for repo in self.repositories())
            problem = "no repository" if not found else f"{len(found)} repositories"
            raise RecipeFault(f"{problem} of the name {name!r}", 1, f"registered here: {known}")
        return found[0]

    def read_repository(self, path: Path) -> Repository | None:
        """The repository in a folder; None when the folder has no description."""
        try:
            description = self.descriptions.load(path, self.dialect.repository_files)
        except RecipeFault as fault:
            if fault.code == NOT_FOUND:
                return None
            raise
        return Repository(
            path, str(description.get("alias", path.name)), str(description.get("uid", "")), description
        )

    def registered(self) -> list[Path]:
        """The folders in `repos.json` that still exist. Raises: RecipeFault (4) when the file is not a JSON list of
        texts."""
        try:
            text = (self.root / "repos.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except UnicodeDecodeError as error:
            raise RecipeFault(f"{self.root / 'repos.json'} is no text: {error}", 4, REPAIR) from error
        try:  # stored with marshal: importing json takes longer than the rest of this function
            parsed, listed = marshal.loads((self.work / "repositories.bin").read_bytes())
        except (OSError, ValueError, EOFError, TypeError):
            parsed = None
        if parsed != text:
            listed = self._parse_registered(text)
            write_cache_file(self.work / "repositories.bin", marshal.dumps((text, listed)))
        return [Path(entry) for entry in listed if Path(entry).is_dir()]

    def _parse_registered(self, text: str) -> list[str]:

        from assay.ground.parsed import json_value

        try:
            listed = json_value(text)
        except ValueError as error:
            raise RecipeFault(f"{self.root / 'repos.json'} does not parse: {error}", 4, REPAIR) from error
        if not isinstance(listed, list) or not all(isinstance(entry, str) for entry in listed):
            raise RecipeFault(f"{self.root / 'repos.json'} is no list of folders", 4, REPAIR)
        return listed

    def register(self, path: Path) -> None:
        """Adds a folder to `repos.json`.

        Raises: RecipeFault (1) when it has no description, or when another folder already has its alias or uid.
        """
        new = self.read_repository(path)
        if new is None:
            names = " or ".join(self.dialect.repository_files)
            raise RecipeFault(f"{path} is no repository: it has no {names}")
        with self.lock("repositories"):
            for repo in self.repositories():
                if repo.path != path and (repo.alias == new.alias or (new.uid and repo.uid == new.uid)):
                    raise RecipeFault(
                        f"{new.alias} is already registered from {repo.path}",
                        1,
                        f"remove that one first: rm repo {repo.path.name}",
                    )
            kept = self.registered()
            if path not in kept:
                kept.append(path)
            self._write(kept)

    def unregister(self, path: Path) -> None:
        """Removes a folder from `repos.json`. Its files stay."""
        with self.lock("repositories"):
            self._write([kept for kept in self.registered() if kept != path])

    def _write(self, paths: list[Path]) -> None:
        import json

        from assay.ground.files import write_text

        if self.dialect.lists_local:
            paths = [self.local, *(path for path in paths if path != self.local)]
        write_text(self.root / "repos.json", json.dumps([str(path) for path in paths], indent=2) + "\n")
        self.changed()

    def changed(self) -> None:
        """Forgets the list of repositories, because it has changed."""
        self._repositories = None
        self.drop_foreign_index()

    def drop_foreign_index(self) -> None:
        """Removes the index of the original tool, which would not see the change. That tool builds it again."""
        for name in self.dialect.index_files:
            (self.root / name).unlink(missing_ok=True)

    def make_local(self) -> None:
        """Creates the `local` repository if it is missing."""
        description = self.local / self.dialect.repository_files[0]
        if not description.exists():
            from assay.ground.files import write_text

            write_text(description, f"{self.dialect.local_description}uid: {LOCAL_UID}\n")
        elif any(path.suffix == ".part" for path in self.local.iterdir()):
            from assay.ground.files import sweep  # only what a kill left needs it

            sweep(description)

    @contextmanager
    def repository_lock(self, name: str) -> Iterator[None]:
        """Holds the lock of a repository's folder. Whoever makes, changes or removes the folder must hold it."""
        with self.lock(f"pull-{name}"):
            yield

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Holds a named lock of this home, which excludes other processes too. Waits for it."""
        from assay.ground import lock

        with lock.held(self.work / "locks" / name):
            yield
