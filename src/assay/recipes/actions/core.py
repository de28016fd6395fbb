"""CM's actions without an artifact: init, test, uid."""

from __future__ import annotations

from assay import __version__
from assay.ground.count import counted
from assay.recipes.actions.repo import pull
from assay.recipes.contract.names import new_uid
from assay.recipes.errors import RecipeFault
from assay.recipes.run.context import Answer, Context, Inputs


def init(context: Context, inputs: Inputs) -> Answer:
    """Make the home, and pull the default repository (`--repo=`, `--url=`, `--branch=`; not with `--skip`).

    Nothing is installed on the system. The built-in recipes need no repository: if the default one cannot be pulled,
    a note reports it. Raises: RecipeFault (1) when a named repository cannot be pulled.
    """
    context.home.make_local()
    context.console.say(f"The home is {context.home.root}")
    if inputs.get("skip"):
        return {"return": 0}
    default = context.dialect.default_repository
    named = {key: inputs[key] for key in ("url", "branch", "pat") if inputs.get(key)}
    name = str(inputs.get("repo") or ("" if inputs.get("url") else default))
    try:
        return pull(context, {"artifact": name, **named})
    except RecipeFault as fault:
        if inputs.get("repo") or named:
            raise
        context.console.note(
            f"assay: {default} was not pulled, and Assay's own recipes do without: {fault.message}\n"
            f"  try: pull repo {default}, for the recipes of others"
        )
    return {"return": 0}


def test(context: Context, inputs: Inputs) -> Answer:
    """Report that the command works, with the home and its numbers of recipes and repositories."""
    recipes, repositories = context.index.artifacts("script"), context.home.repositories()
    context.console.say(
        f"Assay {__version__} works: {counted(len(recipes), 'recipe')} in "
        f"{counted(len(repositories), 'repository', 'repositories')} of {context.home.root}"
    )
    return {"return": 0}


def uid(context: Context, inputs: Inputs) -> Answer:
    """Print a new uid."""
    made = new_uid()
    context.console.say(made)
    return {"return": 0, "uid": made}
