"""One recipe of a kit as an `Execution`, whose dependencies are answered by the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.recipes.contract.flags import Flags
from assay.recipes.errors import RecipeFault
from assay.recipes.model.env import Env
from assay.recipes.model.resolved import Scope
from assay.recipes.run.call import RecipeCall, RecipeOutcome
from assay.recipes.run.execution import Before, Execution
from assay.recipes.run.session import Policy, RunSession
from tests.recipes.conftest import Kit


class Below:
    """Stands for every recipe below: gives the prepared values by their tags, and keeps the calls."""

    def __init__(self, **values: dict[str, Any] | RecipeFault) -> None:
        self.values = values
        self.calls: list[RecipeCall] = []

    def __call__(self, call: RecipeCall) -> RecipeOutcome:
        self.calls.append(call)
        given = self.values.get(str(call.inputs["tags"]), {})
        if isinstance(given, RecipeFault):
            raise given
        return RecipeOutcome(dict(given), {}, dict(given), {})

    @property
    def asked(self) -> list[str]:
        return [str(call.inputs["tags"]) for call in self.calls]


def session_of(kit: Kit, inputs: dict[str, Any], policy: Policy | None = None) -> RunSession:
    context = kit.context()
    flags = Flags.read(inputs, {}, kit.home.dialect.prefix, strict=False)
    return RunSession(
        context.index,
        kit.console,
        context.host_env,
        lambda request, out=None: {"return": 0, "asked": request},
        policy or Policy(),
        flags,
        Path.cwd(),
    )


def execution_of(
    kit: Kit,
    tags: str,
    below: Below | None = None,
    *,
    env: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
    depth: int = 0,
    parent: str | None = None,
    policy: Policy | None = None,
    **flags: Any,
) -> Execution:
    """As the runner makes it for `--tags=TAGS` and the flags."""
    inputs = {"action": "run", "automation": "script", "tags": tags, **flags}
    session = session_of(kit, inputs, policy)
    scope = Scope(Env(env or {}), dict(state or {}))
    call = RecipeCall(inputs, scope, depth, parent)
    before = Before(dict(env or {}), dict(state or {}))
    return Execution(session, call, session.answering.request(call), before, below or Below())
