"""Writes the files of a new recipe, for its author to fill in: a description, hooks and a native script."""

from __future__ import annotations

from pathlib import Path

from assay.ground.files import write_text
from assay.recipes.contract.dialect import SCRIPT_UID
from assay.recipes.contract.names import new_uid, split_repository
from assay.recipes.errors import GENERAL, RecipeFault
from assay.recipes.home.artifacts import Artifacts, refuse_taken
from assay.recipes.home.descriptions import quoted

HOOKS = '''"""Hooks of this recipe. `i` holds env, state, meta, input, automation and run_script_input."""


def preprocess(i):
    """Before the native script."""
    return {"return": 0}


def postprocess(i):
    """After it: set what `new_env_keys` names in i["env"]."""
    return {"return": 0}
'''


def add_recipe(artifacts: Artifacts, name: str, tags: list[str]) -> Path:
    """Makes a recipe in the named repository, else in `local`. Returns its folder.

    Raises: RecipeFault (1) without a name, (8) when it exists.
    """
    in_repository, wanted = split_repository(name)
    if not wanted.alias:
        raise RecipeFault("a recipe needs a name", GENERAL, "add script NAME --tags=a,b")
    home = artifacts.home
    root = home.one(str(in_repository)).root if in_repository else home.local
    folder = artifacts.folder_for(root, "script", wanted.alias)
    refuse_taken(folder)
    listed = "".join(f"\n  - {quoted(tag)}" for tag in tags or wanted.alias.split("-"))
    write_text(folder / "customize.py", HOOKS)
    write_text(folder / "run.sh", '#!/bin/bash\n\necho "running $0"\n')
    write_text(
        folder / home.dialect.description_files[0],
        f"alias: {quoted(wanted.alias)}\nuid: {wanted.uid or new_uid()}\nautomation_alias: script\n"
        f"automation_uid: {SCRIPT_UID}\ncache: false\ntags:{listed}\nnew_env_keys: []\nvariations: {{}}\n",
    )
    artifacts.changed("script")
    return folder
