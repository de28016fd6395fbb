"""Adds, changes, copies and removes artifacts: folders with a description, in any repository of a home."""

from __future__ import annotations

from pathlib import Path

from assay.ground.printable import one_line
from assay.recipes.contract.dialect import CACHE_UID, SCRIPT_UID
from assay.recipes.contract.merge import merge
from assay.recipes.contract.names import new_uid, split_repository
from assay.recipes.errors import EXISTS, GENERAL, RecipeFault, RecipeNotFound
from assay.recipes.home.descriptions import Description
from assay.recipes.home.index import Index
from assay.recipes.home.removal import remove_folder
from assay.recipes.model.artifact import Artifact

# Source: descriptions of the automations in the pulled repositories.
AUTOMATION_UIDS = {
    "script": SCRIPT_UID,
    "cache": CACHE_UID,
    "experiment": "a0a2d123ef064bcb",
    "cfg": "88dce9c160324c5d",
    "utils": "dc2743f8450541e3",
}


def refuse_taken(folder: Path) -> None:
    """Raises: RecipeFault (8) when there is something already."""
    if folder.exists():
        hint = "give it another name, or `rm` the one that is there"
        raise RecipeFault(f"artifact already exists in the path {folder}", EXISTS, hint)


class Artifacts:
    """The changes that the common verbs make. The index finds the artifacts."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.home = index.home

    def one(self, automation: str, name: str, tags: str = "") -> Artifact:
        """The single artifact of that name and those tags.

        Raises: RecipeNotFound (16) for none, (4) where a recipe cannot be read, RecipeFault (1) for several.
        """
        found = self.index.find(automation, name, tags)
        if not found:
            self.index.refuse_unreadable(automation)
            raise RecipeNotFound(f"artifact not found: {automation} {name or tags}")
        if len(found) > 1:
            places = "\n".join(f"  {artifact.path}" for artifact in found)
            raise RecipeFault(f"more than one artifact of that name:\n{places}", 1, "name it by its uid")
        return found[0]

    def description(self, artifact: Artifact) -> Description:
        """The description of an artifact, read anew, without what `_base` inherits."""
        return self.home.descriptions.load(artifact.path, self.home.dialect.description_files)

    def add(self, automation: str, name: str, tags: list[str], more: Description | None = None) -> Path:
        """Makes an artifact in the named repository (`repo:name`), else in `local`. Returns its folder.

        Raises: RecipeFault (8) when the folder exists.
        """
        in_repository, wanted = split_repository(name)
        root = self.home.one(str(in_repository)).root if in_repository else self.home.local
        uid = wanted.uid or new_uid()
        folder = self.folder_for(root, automation, wanted.alias or uid)
        refuse_taken(folder)
        self.write(folder, self.new_description(automation, wanted.alias, uid, tags) | (more or {}))
        return folder

    def new_description(self, automation: str, alias: str, uid: str, tags: list[str]) -> Description:
        return {
            "alias": alias,
            "automation_alias": automation,
            "automation_uid": AUTOMATION_UIDS.get(automation, ""),
            "tags": tags,
            "uid": uid,
        }

    def folder_for(self, root: Path, automation: str, word: str) -> Path:
        """The folder of an artifact. Raises: RecipeFault (1) for a name that leads out of the repository or is not
        printable."""
        folder = root / automation / word
        if not word.isprintable() or folder.resolve().parent != (root / automation).resolve():
            raise RecipeFault(f"{automation}/{one_line(word)} is not a valid name for an artifact")
        return folder

    def update(self, artifact: Artifact, tags: list[str], more: Description) -> Description:
        """Adds tags and other values to a description. Returns the new one."""
        description = self.description(artifact)
        merge(description, more)
        kept = description.setdefault("tags", [])
        kept.extend(tag for tag in tags if tag not in kept)
        self.write(artifact.path, description)
        return description

    def copy(self, artifact: Artifact, target: str, *, move: bool = False) -> Path:
        """Copies an artifact under a new name and a new uid, or moves it under a new name with its old uid. Returns the
        folder.

        Raises: RecipeFault (1) when `target` names nothing, (8) when the folder exists.
        """
        in_repository, wanted = split_repository(target)
        if not (in_repository or wanted.alias or wanted.uid):
            raise RecipeFault(
                f"{target!r} names neither a repository nor an artifact", GENERAL, "[REPO:]NAME"
            )
        root = self.home.one(str(in_repository)).root if in_repository else artifact.repository.root
        uid = artifact.uid if move else (wanted.uid or new_uid())
        alias = wanted.alias or (artifact.alias if in_repository or move else "")
        folder = self.folder_for(root, artifact.automation, alias or uid)
        refuse_taken(folder)
        description = self.description(artifact)
        import shutil

        from assay.ground import scratch

        folder.parent.mkdir(parents=True, exist_ok=True)
        described = description | {"alias": alias, "uid": uid}
        if move:
            shutil.move(artifact.path, folder)
            self.write(folder, described)
            return folder
        names = self.home.dialect.description_files
        top = str(artifact.path)
        with scratch.folder(f".{folder.name}.", ".part", folder.parent) as place:
            part = place / folder.name
            shutil.copytree(top, part, symlinks=True, ignore=lambda where, _: names if where == top else ())
            part.rename(folder)
        self.write(folder, described)  # last, so that a killed copy leaves no artifact
        for name in names[:-1]:  # keeps the file format of its author
            if (artifact.path / name).exists():
                shutil.copy2(artifact.path / name, folder / name)
        return folder

    def delete(self, artifact: Artifact) -> None:
        """Removes the folder. The description goes first: a folder without one is no artifact, so a crash leaves no
        broken artifact."""
        for name in self.home.dialect.description_files:
            (artifact.path / name).unlink(missing_ok=True)
        remove_folder(artifact.path)
        self.changed(artifact.automation)

    def write(self, folder: Path, description: Description) -> None:
        """Writes a description in the dialect's JSON form. MLC's recipes keep their YAML."""
        from assay.ground.files import write_json

        write_json(folder / self.home.dialect.description_files[-1], dict(sorted(description.items())))
        self.changed(folder.parent.name)

    def changed(self, automation: str) -> None:
        if automation == "script":
            self.index.forget()
        else:
            self.home.drop_foreign_index()
