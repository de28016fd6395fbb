"""Actions on any kind of artifact: search, add, delete, load, update, copy, move, info, test, help."""

from __future__ import annotations

from assay.recipes.errors import GENERAL, NOT_FOUND, RecipeFault, RecipeNotFound
from assay.recipes.home.artifacts import Artifacts
from assay.recipes.model.artifact import Artifact
from assay.recipes.run.context import Answer, Context, Found, Inputs, tag_text, words, yes


def matching(context: Context, inputs: Inputs) -> list[Artifact]:
    """The artifacts that a command line names, by name and tags. A word with blanks is a list of tags.

    Raises: RecipeNotFound (4) where there are none and a recipe cannot be read.
    """
    automation, tags = inputs["automation"], tag_text(inputs)
    found: dict[str, Artifact] = {}
    for word in words(inputs):
        if " " in word:
            tags, word = word.replace(" ", ","), ""
        if automation == "script" and "_" in tags:
            artifacts = _scripts_with_variations(context, tags, word)
        else:
            artifacts = context.index.find(automation, word, tags)
        found.update((str(artifact.path), artifact) for artifact in artifacts)
    if not found:
        context.index.refuse_unreadable(automation, [*words(inputs), *tags.split(",")])
    return list(found.values())


def _scripts_with_variations(context: Context, tags: str, name: str) -> list[Artifact]:
    """Recipes that have the tags and know the variations among them."""
    from assay.recipes.home.load import load_recipe
    from assay.recipes.model.selection import Selection
    from assay.recipes.model.variations import knows

    selection = Selection.parse(tags)
    wanted = [variation.removeprefix("-") for variation in selection.variations]
    found = context.index.find("script", name, selection.tags)
    return [a for a in found if all(knows(load_recipe(context.index, a).variations, v) for v in wanted)]


def search(context: Context, inputs: Inputs) -> Answer:
    """Print one path per line. Return the artifacts as `list`."""
    found = matching(context, inputs)
    for artifact in found:
        context.console.say(str(artifact.path))
    return {"return": 0, "list": [Found(context, artifact) for artifact in found]}


def add(context: Context, inputs: Inputs) -> Answer:
    """Make an artifact. Inputs under `meta` go into its description."""
    artifacts = Artifacts(context.index)
    name = words(inputs)[0]
    tags = [tag for tag in f"{tag_text(inputs)},{tag_text(inputs, 'new_tags')}".split(",") if tag]
    if inputs["automation"] == "script":
        from assay.recipes.actions.new_recipe import add_recipe

        folder = add_recipe(artifacts, name, tags)
    else:
        folder = artifacts.add(inputs["automation"], name, tags, inputs.get("meta"))
    context.console.say(f"Added {context.dialect.name.upper()} object at {folder}")
    meta = context.home.descriptions.load(folder, context.dialect.description_files)
    return {"return": 0, "path": str(folder), "meta": meta}


def delete(context: Context, inputs: Inputs) -> Answer:
    """Remove the named artifacts. Ask before each one, unless `-f` is given.

    Raises: as `none_to_remove`.
    """
    found = matching(context, inputs)
    if not found:
        return none_to_remove(context)
    if not any(words(inputs)) and not tag_text(inputs) and inputs["automation"] == "script":
        raise RecipeFault("this would delete every recipe", GENERAL, "name one, or give --tags")
    artifacts = Artifacts(context.index)
    deleted = []
    for artifact in found:
        context.console.say(f'Deleting {artifact.path} with tags "{",".join(artifact.tags)}" ...')
        if yes(context, inputs, "  Are you sure you want to delete this artifact"):
            artifacts.delete(artifact)
            context.console.say("    Deleted!")
            deleted.append(str(artifact.path))
    return {"return": 0, "deleted": deleted}


def none_to_remove(context: Context, hint: str = "") -> Answer:
    """The answer where nothing matches. Raises: RecipeNotFound (16), as CM does; MLC warns and succeeds."""
    if not context.dialect.empty_removal_succeeds:
        raise RecipeNotFound("artifact(s) not found", NOT_FOUND, hint)
    context.console.note("assay: nothing matches")
    return {"return": 0}


def load(context: Context, inputs: Inputs) -> Answer:
    """Print the description of one artifact.

    Raises: RecipeNotFound (16) when none matches, RecipeFault (1) when several do.
    """
    from assay.recipes.contract.json_text import json_text

    artifacts = Artifacts(context.index)
    artifact = artifacts.one(inputs["automation"], words(inputs)[0], tag_text(inputs))
    meta = artifacts.description(artifact)
    context.console.say(json_text(meta))
    return {"return": 0, "path": str(artifact.path), "meta": meta, "original_meta": meta}


def update(context: Context, inputs: Inputs) -> Answer:
    """Add tags and a `meta` to the named artifacts. Without a name, `--tags` selects them and `--new_tags` are
    added."""
    named = any(words(inputs))
    found = matching(context, inputs | {"tags": ""} if named else inputs)
    if not found:
        raise RecipeNotFound("artifact(s) not found")
    tags = f"{tag_text(inputs) if named else ''},{tag_text(inputs, 'new_tags')}".split(",")
    artifacts = Artifacts(context.index)
    for artifact in found:
        artifacts.update(artifact, [tag for tag in tags if tag], inputs.get("meta") or {})
        context.console.say(f"Updated {artifact.path}")
    return {"return": 0, "list": [Found(context, artifact) for artifact in found]}


def copy(context: Context, inputs: Inputs) -> Answer:
    """Copy one artifact to a new name."""
    return _copy(context, inputs, move=False)


def move(context: Context, inputs: Inputs) -> Answer:
    """Move or rename one artifact."""
    return _copy(context, inputs, move=True)


def _copy(context: Context, inputs: Inputs, *, move: bool) -> Answer:
    name, *rest = words(inputs)
    if not rest:
        raise RecipeFault("the new name is missing", GENERAL, "copy AUTOMATION NAME NEW_NAME")
    artifacts = Artifacts(context.index)
    artifact = _named(context, artifacts, inputs, name)
    folder = artifacts.copy(artifact, rest[0], move=move)
    context.console.say(f'* {"Moving" if move else "Copying"} "{artifact.path}" to\n         "{folder}"')
    return {"return": 0, "path": str(folder)}


def _named(context: Context, artifacts: Artifacts, inputs: Inputs, name: str) -> Artifact:
    if " " in name:
        return artifacts.one(inputs["automation"], "", name.replace(" ", ","))
    return artifacts.one(inputs["automation"], name)


def info(context: Context, inputs: Inputs) -> Answer:
    """Print names and files of the named artifacts."""
    found = matching(context, inputs)
    if not found:
        raise RecipeNotFound("artifact(s) not found", NOT_FOUND)
    for artifact in found:
        files = "\n".join(f"    {path.name}" for path in sorted(artifact.path.iterdir()))
        context.console.say(
            f"CID = {artifact.automation}::{artifact}\n\nPath = {artifact.path}\n\n  Files:\n{files}"
        )
    return {"return": 0, "list": [Found(context, artifact) for artifact in found]}


def test(context: Context, inputs: Inputs) -> Answer:
    """Print the inputs, which is what automations of CM do that have no test of their own."""
    from assay.recipes.contract.json_text import json_text

    context.console.say(json_text(dict(inputs)))
    return {"return": 0}


def help(context: Context, inputs: Inputs) -> Answer:
    """Print the actions for a kind of artifact."""
    from assay.recipes.actions.dispatch import COMMON, OWN

    automation = inputs.get("automation") or ""
    lines = [f"actions on {automation or 'artifacts'}:"]
    lines += [f"  {name.rstrip('_').replace('_', '-')}" for name in (*COMMON, *OWN.get(automation, ()))]
    context.console.say("\n".join(lines))
    return {"return": 0}
