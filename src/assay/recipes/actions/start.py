"""Making the runner of one command: what it may do, and the host environment that recipes see."""

from __future__ import annotations

from assay.recipes.actions.context import Context, Inputs
from assay.recipes.actions.dispatch import access_for
from assay.recipes.contract.flags import is_on
from assay.recipes.contract.surroundings import surroundings
from assay.recipes.runner import Runner
from assay.recipes.session import Policy


def make_runner(context: Context, inputs: Inputs, *, strict: bool) -> Runner:
    """A runner whose hooks can ask for further actions in the same home."""
    host_env = surroundings(
        context.home,
        context.host_env,
        allow_sudo=strict or is_on(inputs, "allow_sudo"),
        own_python=not (strict or is_on(inputs, "user_python")),
    )
    policy = Policy(strict=strict, exact_cache=str(inputs.get("cache") or "cm") == "exact")
    runner = Runner(
        context.index,
        context.console,
        host_env,
        policy=policy,
        builtins=context.builtins,
        access=access_for(context),
    )
    context.runner = runner
    return runner
