"""Reads a recipe with everything it inherits."""

from __future__ import annotations

from assay.recipes.contract.merge import merge
from assay.recipes.contract.names import split_repository
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import Index
from assay.recipes.model.artifact import Artifact
from assay.recipes.model.recipe import Recipe
from assay.recipes.values import Values

# A choice: a circle of `_base` must end.
INHERITANCE_DEPTH_MAX = 10


def load_recipe(index: Index, artifact: Artifact) -> Recipe:
    """Reads a recipe with everything it inherits through `_base`. Raises: RecipeFault when a base is missing, not
    unique or inherited through too many descriptions."""

    def described() -> Values:
        return _inherited(index, artifact, 0)

    return Recipe(artifact, described(), index.home.dialect, described)


def _inherited(index: Index, artifact: Artifact, depth: int) -> Values:
    names = index.home.dialect.description_files
    meta = index.home.descriptions.load(artifact.path, names, json_too=True)
    base = meta.pop("_base", None)
    if not base:
        return meta
    if depth >= INHERITANCE_DEPTH_MAX:
        raise RecipeFault(
            f"{artifact.path} inherits through more than {INHERITANCE_DEPTH_MAX} descriptions", 8
        )
    automation, _, name = str(base).partition("::")
    found = index.find(split_repository(automation)[1].alias or "script", name)
    if len(found) != 1:
        raise RecipeFault(f"{artifact.path} inherits from {base}, of which there are {len(found)}", 1)
    inherited = _inherited(index, found[0], depth + 1)
    inherited.pop("alias", None)
    inherited.pop("uid", None)
    return merge(inherited, meta)
