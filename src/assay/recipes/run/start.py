"""Makes the runner of one command: its permissions, and the host environment for its recipes."""

from __future__ import annotations

from assay.recipes.contract.flags import is_on
from assay.recipes.run.context import Context, Inputs
from assay.recipes.run.host_environment import host_environment
from assay.recipes.run.runner import Runner
from assay.recipes.run.session import Access, Policy


def make_runner(context: Context, inputs: Inputs, access: Access | None, *, strict: bool) -> Runner:
    """A runner. Its hooks use `access` to request further actions in the same home."""
    host_env = host_environment(
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
        access=access,
    )
    context.runner = runner
    return runner
