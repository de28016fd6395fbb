"""Takes a recipe's result from the cache, or runs the recipe and stores the result.

A cache entry replaces hooks and script. Only dependencies marked `dynamic` run then.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from assay.recipes.contract import shell
from assay.recipes.contract.merge import copied, merge
from assay.recipes.errors import RecipeFailed, RecipeFault
from assay.recipes.home.cache_rule import tags_from_env
from assay.recipes.home.removal import remove_folder
from assay.recipes.home.staged import Staged
from assay.recipes.home.store import EXPIRY_FIELD, KEY_FIELD, CacheEntry
from assay.recipes.run.call import RecipeOutcome
from assay.recipes.run.execution import Execution
from assay.recipes.values import Values

VALIDATION = "validate_cache"  # native script with which a recipe checks its own entries


def load_or_run(execution: Execution) -> RecipeOutcome:
    """The outcome of a recipe that caches: from an entry, or from a run that makes one."""
    tags = execution.request.tags()
    execution.tags = list(tags)
    if outcome := _from_cache(execution):
        return outcome
    with execution.session.store.exclusively(tags):
        # Another process may have made it while this one waited.
        return _from_cache(execution) or _made_entry(execution, tags)


# ---------------------------------------------------------------------- an entry that is there


def _from_cache(execution: Execution) -> RecipeOutcome | None:
    session, request = execution.session, execution.request
    if request.flags.new or request.flags.renew:
        return None
    lookup = request.look_up(session.store, exact=session.policy.exact_cache)
    valid = [entry for entry in lookup.entries if _still_valid(execution, entry)]
    while entry := session.chooser.entry(valid, lookup.tags, request.flags):
        try:
            kept = session.store.state(entry)
        except RecipeFault as fault:
            session.info(f"{execution.call.indent}  - passed over: {fault.message}; prune cache removes it")
            valid.remove(entry)
        else:
            return _reuse(execution, entry, kept)
    if request.flags.only_from_cache:
        raise RecipeFault(f"nothing cached for {execution.recipe.alias} and only the cache may be used")
    return None


def _reuse(execution: Execution, entry: CacheEntry, kept: Values) -> RecipeOutcome:
    """Uses env and state of an entry instead of running the recipe."""
    resolved = execution.resolved

    def load() -> None:
        execution.version = str(kept.get("version") or "")
        state_file = entry.path / resolved.dialect.cached_state_file
        execution.session.info(f"{execution.call.indent}     ! load {state_file}")
        with resolved.env.written_by(f"cache entry {entry.artifact.uid}"):
            merge(resolved.env, copied(kept["new_env"]))
        resolved.dialect.merge(resolved.state, copied(kept.get("new_state") or {}))

    execution.walk.reuse(load)
    return execution.outcome()


def _still_valid(execution: Execution, entry: CacheEntry) -> bool:
    """Whether the recipe's own script `validate_cache` accepts an entry. Without that script every entry is valid.

    The script sees the variables of the dependencies marked `dynamic`, with MLC also those that the entry exports,
    and no state. An entry is not valid when the script fails, or when `detect_version` then finds another version.
    Source: find_cached_script of cm4mlops at e1d5c7cf, cache_utils.py of mlperf-automations at 20d3d94c.
    """
    recipe, resolved = execution.recipe, execution.resolved
    if not (recipe.folder / f"{VALIDATION}.sh").is_file():
        return True
    from assay.ground import scratch

    state, entries, here = copied(resolved.state), copied(resolved.entries), Path.cwd()
    with scratch.folder("assay-validate-") as folder, resolved.env.kept():
        os.chdir(folder)
        try:
            kept = execution.session.store.state(entry)
            if resolved.dialect.entry_is_judged_with_its_values:
                resolved.env.update(copied(kept["new_env"]))
                resolved.state.update(copied(kept.get("new_state") or {}))
            execution.walk.phase("deps", from_cache=True)
            execution.walk.asked.clear()
            execution.hooks.load()
            version = _detected(execution)
        except RecipeFault as fault:
            execution.session.info(f"{execution.call.indent}  - {entry.path} is not valid: {fault.message}")
            return False
        finally:
            os.chdir(here)
            resolved.state.clear()
            resolved.state.update(state)
            resolved.entries.update(entries)
            execution.walk.asked.clear()
    return not version or not entry.version or version == entry.version


def _detected(execution: Execution) -> str:
    """Runs `validate_cache`, then the hook `detect_version` if there is one. Returns the version; empty without the
    hook. Raises: RecipeFault when one fails."""
    step = {**execution.hooks.step, "script_name": VALIDATION, "env": execution.env, "state": {}}
    execution.session.scripts.run(step)
    if not execution.hooks.has("detect_version"):
        return ""
    return str(execution.hooks.run("detect_version", step["state"]).get("version") or "")


# ---------------------------------------------------------------------- a new entry


def _made_entry(execution: Execution, tags: list[str]) -> RecipeOutcome:
    """Runs the recipe in a new folder. The folder becomes an entry only when everything has succeeded."""
    store, here = execution.session.store, Path.cwd()
    for orphan in store.orphans():
        remove_folder(orphan)
    staged = _staged(execution, tags)
    try:
        os.chdir(staged.folder)
        outcome = execution.make()
        os.chdir(here)
        if outcome.skipped:
            staged.drop()
        else:
            execution.tag(tags_from_env(execution.recipe.meta, execution.env))
            _commit(execution, staged, outcome)
    except RecipeFault as fault:
        os.chdir(here)
        _keep_failed_folder(execution, staged, fault)
        raise
    except BaseException:
        os.chdir(here)
        staged.drop()
        raise
    return outcome


def _staged(execution: Execution, tags: list[str]) -> Staged:
    session = execution.session
    if execution.request.flags.renew:
        found = execution.request.look_up(session.store).entries
        renewed = session.chooser.entry(found, tags, execution.request.flags)
        if renewed:
            execution.env[execution.key("RENEW_CACHE_ENTRY")] = "yes"
            return session.store.reopen(renewed)
    return session.store.stage(execution.recipe.alias)


def _keep_failed_folder(execution: Execution, staged: Staged, fault: RecipeFault) -> None:
    """Moves an unfinished entry out of the cache and puts its new place into the error."""
    with contextlib.suppress(OSError):
        kept = staged.discard(execution.recipe.alias)
        if isinstance(fault, RecipeFailed) and fault.kept is None:
            fault.kept = kept


def _commit(execution: Execution, staged: Staged, outcome: RecipeOutcome) -> None:
    """Turns the staged folder into an entry."""
    for name, values in ((shell.ALL_ENV_FILE, outcome.env), (shell.ENV_FILE, outcome.new_env)):
        shell.write_script(staged.folder / name, [*shell.SHEBANG, *shell.export_lines(values)])
    state = {
        "new_env": outcome.new_env,
        "new_state": outcome.new_state,
        "deps": execution.resolved.entries["deps"],
        "version": execution.version,
    }
    staged.commit(_description(execution, staged.folder), state)


def _description(execution: Execution, folder: Path) -> Values:
    recipe, env, dialect = execution.recipe, execution.env, execution.recipe.dialect
    description: Values = {
        "tags": list(dict.fromkeys([*execution.tags, dialect.owner_tag + recipe.uid, *recipe.tags])),
        dialect.owner_key: recipe.owner,
        dialect.owner_key + "_uid": recipe.uid,
        KEY_FIELD: execution.request.key().as_json(),
    }
    if lifetime := execution.request.cache_expiration():
        from assay.recipes.model.expiry import seconds

        description[EXPIRY_FIELD] = time.time() + seconds(lifetime)
    version = env.get(execution.key("DETECTED_VERSION")) or env.get(execution.key("VERSION"))
    if version:
        description["version"] = str(version)
    base = str(env.get(execution.key("GET_DEPENDENT_CACHED_PATH")) or "")
    if base and Path(base).is_dir() and not Path(base).samefile(folder):
        description["dependent_cached_path"] = base
    return description
