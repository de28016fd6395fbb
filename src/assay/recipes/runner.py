"""Runs a recipe and everything below it: choose, resolve, take from the cache or make, hand back."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.recipes.builtin import Builtin, find_builtin, load_builtin
from assay.recipes.cache_rule import cache_key, lookup_tags
from assay.recipes.choosing import Chooser
from assay.recipes.console import Console
from assay.recipes.contract.automation import Automation
from assay.recipes.contract.flags import Flags, is_on, seed_env
from assay.recipes.contract.hooks import Workbench
from assay.recipes.contract.native import NativeScripts
from assay.recipes.dependencies import additions
from assay.recipes.env import Env
from assay.recipes.errors import GENERAL, RecipeFault
from assay.recipes.execution import Call, Execution, Outcome
from assay.recipes.index import Index
from assay.recipes.merge import merge
from assay.recipes.resolve import ResolvedRecipe, Scope, resolve
from assay.recipes.selection import Selection
from assay.recipes.session import Policy, Session, Step
from assay.recipes.store import Store


class Runner:
    """Runs requests on one home. `host_env` is the environment that hooks and scripts start from."""

    def __init__(
        self,
        index: Index,
        console: Console,
        host_env: Mapping[str, str],
        *,
        policy: Policy | None = None,
        builtins: list[Builtin] | None = None,
        access: Any = None,
    ) -> None:
        self.index = index
        self.home = index.home
        self.console = console
        self.host_env = dict(host_env)
        self.policy = policy or Policy()
        self.builtins = builtins or []
        self.access = access or _no_access
        self.session: Session | None = None
        self.last: Session

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Perform `run script` for a parsed command line; gives CM's result dictionary.

        Raises: RecipeFault when it cannot be found, resolved or run.
        """
        inputs = copy.copy(inputs)
        name = self._name_and_tags(inputs)
        outer, folder = self.session, Path.cwd()
        if outer is None and not is_on(inputs, "skip_write_test") and not os.access(folder, os.W_OK):
            raise RecipeFault(
                f"the current folder {folder} cannot be written to", GENERAL, "change to another one"
            )
        self.session = session = self._new_session(inputs, folder)
        try:
            if outer is None and (builtin := self._builtin(inputs, name)):
                return builtin
            scope = Scope(
                Env(inputs.get("env") or {}),
                inputs.get("state") or {},
                inputs.get("const") or {},
                inputs.get("const_state") or {},
                additions(inputs, "adr", "add_deps_recursive"),
            )
            outcome = self._run(Call(inputs, scope))
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
            "deps": outcome.deps,
            **({"skipped": True} if outcome.skipped else {}),
        }

    def _name_and_tags(self, inputs: dict[str, Any]) -> str:
        """A word with blanks stands for tags: `run script "detect os"`; gives the name that is left."""
        words = [str(inputs.get("artifact") or ""), *inputs.get("artifacts", [])]
        tags = [inputs["tags"]] if inputs.get("tags") else []
        if " " in words[0] or (self.home.dialect.name == "mlc" and "," in words[0]):
            tags = [words[0].replace(" ", ",")]
            words[0] = ""
        tags += [word.replace(" ", ",") for word in words[1:] if " " in word or "," in word]
        if tags:
            inputs["tags"] = ",".join(",".join(tag) if isinstance(tag, list) else str(tag) for tag in tags)
        return str(words[0])

    def _new_session(self, inputs: Mapping[str, Any], folder: Path) -> Session:
        store = Store(self.index)
        workbench = Workbench(dict(self.host_env))
        flags = Flags.read(
            inputs, inputs.get("env") or {}, self.home.dialect.prefix, strict=self.policy.strict
        )

        def note(text: str) -> None:
            if not flags.silent:
                self.console.note(f"INFO:root:{text}")

        scripts = NativeScripts(self.home.dialect, workbench, note)
        automation = Automation(
            self.home.dialect,
            scripts,
            self.access,
            self.console.ask,
            lambda key: workbench.environ.get(key, ""),
            self.home.work,
        )
        return Session(
            index=self.index,
            store=store,
            console=self.console,
            chooser=Chooser(self.index, store, self.console),
            workbench=workbench,
            scripts=scripts,
            automation=automation,
            policy=self.policy,
            folder=folder,
            access=self.access,
            silent=flags.silent,
            verbose=flags.verbose,
            fake_deps=flags.fake_deps,
        )

    def _builtin(self, inputs: dict[str, Any], name: str) -> dict[str, Any] | None:
        """The answer of a recipe of our own, when one owns this request."""
        if name or inputs.get("recipes"):
            return None
        selection = Selection.parse(inputs.get("tags"))
        builtin = find_builtin(self.builtins, self.index, selection)
        if builtin is None:
            return None
        self.console.note(
            f"assay: {','.join(selection.tags)} is answered by the built-in recipe {builtin.alias}"
        )
        recipe = load_builtin(builtin, self.index)
        scope = Scope(Env(inputs.get("env") or {}), adr=additions(inputs, "adr", "add_deps_recursive"))
        resolved = resolve(recipe, selection.variations, inputs, scope)
        return builtin.act(resolved, inputs)

    # ------------------------------------------------------------------ one recipe

    def _run(self, call: Call) -> Outcome:
        session = self.session
        assert session is not None
        started = time.monotonic()
        saved_env, saved_state = copy.deepcopy(dict(call.scope.env)), copy.deepcopy(call.scope.state)
        self._add_local(call)
        flags = Flags.read(call.inputs, call.scope.env, self.home.dialect.prefix, strict=self.policy.strict)
        env = call.scope.env
        with env.written_by("runner"):
            seed_env(env, call.inputs, flags, self.host_env, str(Path.cwd()), self.home.dialect.prefix)
        selection = Selection.parse(call.inputs.get("tags"))
        name = (
            self._name_and_tags(dict(call.inputs))
            if call.depth == 0
            else str(call.inputs.get("artifact") or "")
        )
        session.info(f"{call.indent}* {self.home.dialect.name} run script {_title(name, selection)}")
        recipe = session.chooser.recipe(selection, name, flags)
        with env.written_by("runner"):
            env[self.home.dialect.key("TMP_CURRENT_SCRIPT_REPO_PATH")] = str(recipe.repository.path)
            env[self.home.dialect.key("TMP_CURRENT_SCRIPT_REPO_PATH_WITH_PREFIX")] = str(
                recipe.repository.root
            )
        resolved = resolve(recipe, selection.variations, call.inputs, call.scope)
        if resolved.choice.applied:
            session.debug(f"{call.indent}    Prepared variations: {resolved.variation_tags}")
        execution = Execution(
            session=session,
            call=call,
            flags=flags,
            selection=selection,
            resolved=resolved,
            saved_env=saved_env,
            saved_state=saved_state,
            run_recipe=self._run,
            key=lambda: cache_key(resolved, call.inputs),
        )
        step = self._record(call, selection, resolved)
        outcome = self._inside_container(execution) or self._from_cache_or_made(execution)
        step.version, step.cached = outcome.version, execution.cached
        self._finish(execution, outcome, started)
        return outcome

    def _add_local(self, call: Call) -> None:
        """The env, state and constants of the dependency entry itself, over those handed down."""
        local = call.inputs.pop("local", None) or {}
        with call.scope.env.written_by("dependency entry"):
            merge(call.scope.env, local.get("env") or {})
        for own, target in (
            ("state", call.scope.state),
            ("const", call.scope.const),
            ("const_state", call.scope.const_state),
        ):
            merge(target, local.get(own) or {})

    def _record(self, call: Call, selection: Selection, resolved: ResolvedRecipe) -> Step:
        assert self.session is not None
        recipe = resolved.recipe
        step = Step(
            depth=call.depth,
            alias=recipe.alias,
            tags=",".join(selection.asked_tags),
            variations=resolved.variation_tags,
            folder=str(recipe.folder),
            repository=recipe.repository.alias,
        )
        self.session.steps.append(step)
        return step

    def _inside_container(self, execution: Execution) -> Outcome | None:
        """Inside a container, a recipe may have itself skipped or only pretended."""
        prefix = self.home.dialect.prefix
        if str(execution.env.get(prefix + "RUN_STATE_DOCKER", "")).lower() not in ("true", "1", "yes"):
            return None
        docker = execution.state.get("docker") or {}
        if str(docker.get("run", True)).lower() in ("false", "0", "no"):
            execution.session.info(
                f"{execution.call.indent}  - Skipping {execution.recipe}: inside a container"
            )
            return Outcome({}, {}, execution.saved_env, execution.saved_state)
        if str(docker.get("real_run", True)).lower() in ("false", "0", "no"):
            execution.session.info(
                f"{execution.call.indent}  - Fake run of {execution.recipe}: inside a container"
            )
            execution.flags = execution.flags._replace(fake_run=True)
            execution.env[prefix + "TMP_FAKE_RUN"] = "yes"
        return None

    def _from_cache_or_made(self, execution: Execution) -> Outcome:
        flags, recipe = execution.flags, execution.recipe
        if flags.skip_cache or flags.fake_run or not recipe.caches(force=flags.force_cache):
            return self._made_here(execution)
        tags, all_tags = lookup_tags(execution.resolved, execution.selection, execution.inputs, flags)
        execution.cached_tags = all_tags
        if outcome := self._from_cache(execution, tags):
            return outcome
        with execution.session.store.exclusively(tags):
            # Another process may have made it while this one waited.
            if outcome := self._from_cache(execution, tags):
                return outcome
            return self._made_entry(execution, tags)

    def _from_cache(self, execution: Execution, tags: list[str]) -> Outcome | None:
        if execution.flags.new or execution.flags.renew:
            return None
        session = execution.session
        key = execution.key() if self.policy.exact_cache else None
        lookup = session.store.look_up(tags, execution.resolved.versions, key)
        entry = session.chooser.entry(lookup.entries, lookup.tags, execution.flags)
        if entry is None:
            if execution.flags.only_from_cache:
                raise RecipeFault(
                    f"nothing cached for {execution.recipe.alias} and only the cache may be used"
                )
            return None
        execution.reuse(entry)
        return execution.outcome()

    def _made_here(self, execution: Execution) -> Outcome:
        here = Path.cwd()
        for path in execution.recipe.meta.get("clean_output_files") or []:
            Path(path).unlink(missing_ok=True)
        try:
            outcome = execution.make(None) or execution.outcome()
        except RecipeFault as fault:
            raise execution.failed(fault, None) from fault
        finally:
            os.chdir(here)
        return outcome

    def _made_entry(self, execution: Execution, tags: list[str]) -> Outcome:
        session, here = execution.session, Path.cwd()
        session.store.remove_orphans()
        renewed = None
        if execution.flags.renew:
            found = session.store.look_up(tags, execution.resolved.versions).entries
            renewed = session.chooser.entry(found, tags, execution.flags)
        staged = session.store.reopen(renewed) if renewed else session.store.stage(execution.recipe.alias)
        if renewed:
            execution.env[self.home.dialect.key("RENEW_CACHE_ENTRY")] = "yes"
        try:
            os.chdir(staged.folder)
            skipped = execution.make(staged)
            outcome = skipped or execution.outcome()
            if skipped:
                os.chdir(here)
                staged.drop()
            else:
                execution.commit(staged, outcome.new_env, outcome.new_state, outcome.env)
        except RecipeFault as fault:
            raise execution.failed(fault, staged) from fault
        except BaseException:
            os.chdir(here)
            staged.drop()
            raise
        finally:
            os.chdir(here)
        return outcome

    def _finish(self, execution: Execution, outcome: Outcome, started: float) -> None:
        """What CM records and prints after each recipe."""
        session, recipe, call = execution.session, execution.recipe, execution.call
        selection = execution.selection
        tags = ",".join([*selection.tags, *(f"_{name}" for name in selection.variations)])
        version = outcome.version or str(execution.env.get(execution.env_key("DETECTED_VERSION")) or "")
        session.version_info.append(
            {
                tags: {
                    "script_uid": recipe.uid,
                    "script_alias": recipe.alias,
                    "script_tags": ",".join(recipe.tags),
                    "script_variations": ",".join(selection.variations),
                    "version": version,
                    "parent": call.parent,
                }
            }
        )
        if execution.flags.time or execution.flags.verbose:
            seconds = time.monotonic() - started
            session.info(
                f'{call.indent}  - running time of script "{",".join(recipe.tags)}": {seconds:.2f} sec.'
            )
        for key, label in sorted((recipe.meta.get("print_env_at_the_end") or {}).items()):
            session.info(f"{label or f'ENV[{key}]'}: {outcome.new_env.get(key)}")


def _title(name: str, selection: Selection) -> str:
    if not name:
        return f'"{selection}"'
    words = [*selection.tags, *(f"_{variation}" for variation in selection.variations)]
    return name + (f' --tags="{",".join(words)}"' if words else "")


def _no_access(_request: Any, _out: Any = None) -> dict[str, Any]:
    return {"return": GENERAL, "error": "this runner was made without access to other actions"}
