"""Runs a request and its dependencies: chooses, resolves, takes from the cache or runs, returns the outcome."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.recipes.contract.flags import Flags, check_nested, is_on
from assay.recipes.contract.merge import copied
from assay.recipes.contract.secrets import hidden, in_text
from assay.recipes.contract.truth import FALSE_WORDS, TRUE_WORDS
from assay.recipes.errors import GENERAL, RecipeFailed, RecipeFault
from assay.recipes.home.index import Index
from assay.recipes.model.dependencies import additions
from assay.recipes.model.env import USER_RUN_DIR, Env
from assay.recipes.model.resolve import resolve
from assay.recipes.model.resolved import Scope
from assay.recipes.run.call import RecipeCall, RecipeOutcome
from assay.recipes.run.console import Console
from assay.recipes.run.execution import Before, Execution
from assay.recipes.run.given import misspelt
from assay.recipes.run.request import RecipeRequest, name_and_tags
from assay.recipes.run.session import Access, Policy, RecordedStep, RunSession
from assay.recipes.values import Given, Values

if TYPE_CHECKING:
    from assay.recipes.run.builtin import Builtin

DEPTH_MAX = 64  # limit for nested recipes; the deepest chain in cm4mlops is below 10


class Runner:
    """Runs requests on one home. Hooks and scripts start with the environment `host_env`."""

    def __init__(
        self,
        index: Index,
        console: Console,
        host_env: Mapping[str, str],
        *,
        policy: Policy | None = None,
        builtins: list[Builtin] | None = None,
        access: Access | None = None,
    ) -> None:
        self.index = index
        self.home = index.home
        self.console = console
        self.host_env = dict(host_env)
        self.policy = policy or Policy()
        self.builtins = builtins or []
        self.access = access or _no_access
        self.session: RunSession | None = None
        self.last: RunSession

    def run(self, inputs: Values) -> Values:
        """Runs `run script` for a parsed command line. Returns CM's result dictionary.

        Raises: RecipeFault when the recipe cannot be found, resolved or run.
        """
        inputs = dict(inputs)
        check_nested(inputs)
        name_and_tags(inputs, self.home.dialect)
        outer, folder = self.session, Path.cwd()
        if outer is None and not is_on(inputs, "skip_write_test") and not os.access(folder, os.W_OK):
            raise RecipeFault(
                f"the current folder {folder} cannot be written to", GENERAL, "change to another one"
            )
        flags = self._flags(inputs, inputs.get("env") or {})
        self.session = session = RunSession(
            self.index, self.console, self.host_env, self.access, self.policy, flags, folder
        )
        try:
            if outer is None and (builtin := self._builtin(inputs, flags)):
                return builtin
            outcome = self._run(RecipeCall(inputs, self._scope(inputs, folder)))
        except RecipeFailed as failure:
            if outer is None:
                self._keep_log(failure, inputs)
            raise
        finally:
            os.chdir(folder)
            self.session = outer
            self.last = session
        return {
            "return": 0,
            "env": dict(outcome.env),
            "new_env": outcome.new_env,
            "state": outcome.state,
            "new_state": outcome.new_state,
            "deps": list(outcome.deps),
            **({"skipped": True} if outcome.skipped else {}),
        }

    def _keep_log(self, failure: RecipeFailed, inputs: Given) -> None:
        """Writes the log of a failure: the script's output, or the traceback of the hook's exception."""
        from assay.ground.errors import EnvironmentProblem
        from assay.recipes.contract.script_output import write_log

        content = failure.output
        if not content and failure.__cause__:
            import traceback

            told = "".join(traceback.format_exception(failure.__cause__))
            content = told.encode(errors="backslashreplace")
        if content:
            text = content.decode(errors="surrogateescape")
            text = in_text(text, self.host_env, inputs)
            content = text.encode(errors="surrogateescape")
            try:
                failure.log = write_log(self.home.logs, Path(failure.recipe.partition(",")[0]).name, content)
            except EnvironmentProblem as problem:
                self.console.note(f"assay: no log: {problem}")

    def _scope(self, inputs: Values, folder: Path) -> Scope:
        scope = Scope(
            Env(inputs.get("env") or {}),
            inputs.get("state") or {},
            inputs.get("const") or {},
            inputs.get("const_state") or {},
            additions(inputs, "adr", "add_deps_recursive"),
        )
        if self.home.dialect.remembers_user_folder:
            scope.const.setdefault(USER_RUN_DIR, scope.env.setdefault(USER_RUN_DIR, str(folder)))
        return scope

    def _flags(self, inputs: Given, env: Given) -> Flags:
        return Flags.read(inputs, env, self.home.dialect.prefix, strict=self.policy.strict)

    def _builtin(self, inputs: Values, flags: Flags) -> Values | None:
        """The result of a built-in recipe, if one serves this request."""
        if not (self.builtins or inputs.get("recipes")):
            return None
        from assay.recipes.run.builtin import owned

        answering = owned(self.builtins, self.index, inputs, self.console.note)
        if answering is None:
            return None
        recipe, selection = answering.recipe, answering.selection
        self.console.note(
            f"assay: {','.join(selection.tags)} is answered by the built-in recipe {answering.builtin.alias}"
        )
        scope = Scope(Env(inputs.get("env") or {}), adr=additions(inputs, "adr", "add_deps_recursive"))
        resolved = resolve(recipe, selection.variations, inputs, scope)
        return answering.builtin.act(resolved, inputs, flags.fake_run)

    # ------------------------------------------------------------------ one recipe

    def _run(self, call: RecipeCall) -> RecipeOutcome:
        session = self.session
        assert session is not None
        started = time.monotonic()
        before = Before(copied(dict(call.scope.env)), copied(call.scope.state))
        if call.depth > DEPTH_MAX:
            raise RecipeFault(
                f"{call.inputs.get('tags')} is more than {DEPTH_MAX} dependencies deep; {call.parent} needs it",
                GENERAL,
                "does a recipe need itself? recipe plan TAGS shows the tree",
            )
        request = session.answering.request(call)
        recipe = request.resolved.recipe
        for sentence in misspelt(call.inputs, recipe) if not call.depth else ():
            self.console.note(f"assay: {sentence}")
        with recipe.errors_attributed():
            return self._answer(session, call, request, before, started)

    def _answer(
        self, session: RunSession, call: RecipeCall, request: RecipeRequest, before: Before, started: float
    ) -> RecipeOutcome:
        """The outcome from the cache or from a run. Inside a container the recipe may ask to be skipped or faked."""
        step = _record(session, call, request)
        docker = request.resolved.docker
        inside = self._inside_container(request)
        if inside and _says(docker.get("run"), FALSE_WORDS):
            session.info(f"{call.indent}  - Skipping {request.resolved.recipe}: inside a container")
            outcome = RecipeOutcome({}, {}, before.env, before.state)
        else:
            if inside and _says(docker.get("real_run"), FALSE_WORDS):
                session.info(f"{call.indent}  - Fake run of {request.resolved.recipe}: inside a container")
                request = request._replace(flags=request.flags._replace(fake_run=True))
                request.resolved.env[self.home.dialect.key("TMP_FAKE_RUN")] = "yes"
            execution = Execution(session, call, request, before, self._run)
            if request.may_cache():
                from assay.recipes.run.cached import load_or_run

                outcome = load_or_run(execution)
            else:
                outcome = execution.make_here()
        step.version = outcome.version
        self._finish(session, call, request, outcome, time.monotonic() - started)
        return outcome

    def _inside_container(self, request: RecipeRequest) -> bool:
        """Whether the run is inside a container. A recipe may ask to be skipped or faked there."""
        return _says(request.resolved.env.get(self.home.dialect.key("RUN_STATE_DOCKER")), TRUE_WORDS)

    def _finish(
        self,
        session: RunSession,
        call: RecipeCall,
        request: RecipeRequest,
        outcome: RecipeOutcome,
        seconds: float,
    ) -> None:
        """Records and prints what CM does after each recipe. Recipes that their own hook skipped are left out."""
        if outcome.skipped:
            return
        resolved, recipe = request.resolved, request.resolved.recipe
        detected = str(resolved.env.get(self.home.dialect.key("DETECTED_VERSION")) or "")
        record = {
            "script_uid": recipe.uid,
            "script_alias": recipe.alias,
            "script_tags": ",".join(recipe.tags),
            "script_variations": ",".join(request.told_variations()),
            "version": outcome.version or detected,
            "parent": call.parent,
        }
        told = request.selection._replace(variations=tuple(request.told_variations()))
        session.version_info.append({told.words: record})
        if request.flags.time or request.flags.verbose:
            tags = ",".join(recipe.tags)
            session.info(f'{call.indent}  - running time of script "{tags}": {seconds:.2f} sec.')
        for key, label in sorted((recipe.meta.get("print_env_at_the_end") or {}).items()):
            session.info(f"{label or f'ENV[{key}]'}: {hidden(outcome.new_env.get(key), key)}")


def _record(session: RunSession, call: RecipeCall, request: RecipeRequest) -> RecordedStep:
    recipe = request.resolved.recipe
    step = RecordedStep(
        call.depth,
        recipe.alias,
        ",".join(request.selection.asked_tags),
        request.resolved.variation_tags,
        str(recipe.folder),
        recipe.repository.alias,
    )
    session.steps.append(step)
    return step


def _says(value: Any, words: frozenset[str]) -> bool:
    return str(value).lower() in words


def _no_access(_request: Any, _out: Any = None) -> Values:
    return {"return": GENERAL, "error": "this runner was made without access to other actions"}
