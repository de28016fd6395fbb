"""CM and MLC are two spellings of one contract; this is the whole difference in names."""

from __future__ import annotations

from pathlib import Path

from assay.recipes.contract.merge import merge
from assay.recipes.typing_stub import Any, NamedTuple

SCRIPT_UID = "5b4e0237da074764"
CACHE_UID = "541d6f712a6b464e"


class Dialect(NamedTuple):
    """The names that one of the two tools uses for the same thing."""

    name: str
    prefix: str  # of every env key the runner itself reads or writes
    home_folder: str  # below the user's own
    description_files: tuple[str, ...]  # of an artifact; merged in this order, the later wins
    repository_files: tuple[str, ...]
    cached_state_file: str
    owner_key: str  # in a cache entry: the recipe that made it
    owner_separator: str
    owner_tag: str
    default_owner: str  # of a repository named without one
    default_repository: str  # the one with the published recipes
    resolved_variations_in_cache_tags: bool
    cached_recipe_is_preferred: (
        bool  # of several that answer a request, does one with a cache entry come first?
    )
    unique_in_nested_lists: bool  # does a list below the top of a state take only what it does not hold yet?

    def key(self, name: str) -> str:
        """`CM_` + name, or `MLC_` + name."""
        return self.prefix + name

    def merge(self, target: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
        """Put one state over another in place, as the tool does it."""
        return merge(target, more, nested=self.unique_in_nested_lists)

    def repositories_folder(self, home: Path) -> Path:
        """Where clones live: below CM's home, and MLC's home itself."""
        return home / "repos" if self.name == "cm" else home


CM = Dialect(
    name="cm",
    prefix="CM_",
    home_folder="CM",
    description_files=("_cm.yaml", "_cm.json"),
    repository_files=("cmr.yaml", "cmr.json"),
    cached_state_file="cm-cached-state.json",
    owner_key="associated_script_artifact",
    owner_separator=",",
    owner_tag="script-artifact-",
    default_owner="mlcommons",
    default_repository="mlcommons@cm4mlops",
    resolved_variations_in_cache_tags=False,
    cached_recipe_is_preferred=True,
    unique_in_nested_lists=False,
)
MLC = Dialect(
    name="mlc",
    prefix="MLC_",
    home_folder="MLC/repos",
    description_files=("meta.yaml", "meta.json"),
    repository_files=("meta.yaml", "meta.json"),
    cached_state_file="mlc-cached-state.json",
    owner_key="associated_script_item",
    owner_separator=", ",
    owner_tag="script-item-",
    default_owner="mlcommons",
    default_repository="mlcommons@mlperf-automations",
    resolved_variations_in_cache_tags=True,
    # mlcflow 1.3.8 means to, but compares the uid with " uid", blank included.
    cached_recipe_is_preferred=False,
    unique_in_nested_lists=True,
)
DIALECTS = {dialect.name: dialect for dialect in (CM, MLC)}
