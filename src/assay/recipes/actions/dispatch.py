"""Finds the function for the words of a command, and calls it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from assay.ground.errors import did_you_mean
from assay.recipes.contract.argv import parse
from assay.recipes.contract.names import ArtifactName
from assay.recipes.errors import UNKNOWN_ACTION, RecipeFault
from assay.recipes.run.context import Answer, Context, Inputs, tag_text

SYNONYMS = {
    "ls": "search",
    "list": "search",
    "find": "search",
    "rm": "delete",
    "mv": "move",
    "ren": "move",
    "rename": "move",
    "cp": "copy",
    "docker_run": "docker",
    "ximport": "import_",
    "print_input": "test",
}
# Actions of the original tools that are absent here, each with what to use instead.
ABSENT = {
    "gui": "it serves a web page of the original tool; the inputs are listed by: run script TAGS --help",
    "apptainer": "docker script TAGS makes an image, --docker_dry_run names it; then: "
    "apptainer exec docker-daemon://IMAGE assay run script --tags=TAGS",
    "slurm": "submit the command itself: sbatch --wrap 'assay run script --tags=TAGS'",
    "remote": "run the command there: ssh HOST assay run script --tags=TAGS",
    "experiment": "run it once per value: run script --tags=TAGS --env.KEY=VALUE",
    "xset": "update cfg NAME --meta.KEY=VALUE",
    "copy_to_remote": "show cache --tags=TAGS names the folder: copy it with rsync",
    "convert_ck_to_cm": "a repository of the older tool CK must be converted by that tool",
    "import_ckr_to_cm": "a repository of the older tool CK must be converted by that tool",
}
HELPERS = (
    "it is a function for the hooks of recipes; run script TAGS runs a recipe, add script NAME makes one"
)
# Functions of the automations `script` and `utils` that only hooks call, and kinds of artifacts that hold web pages.
_HOOKS_ONLY = """
native_run run_native_script find_file_in_paths find_file_deep find_file_back detect_version_using_script find_artifact
parse_version update_deps update_state_from_meta get_default_path_list clean_some_tmp_files compare_versions json2yaml
yaml2json sort_json dos2unix replace_string_in_file create_toc_from_md copy_to_clipboard generate_secret prune_input
detect_tags_in_artifact load_cfg select_cfg print_yaml print_json
"""
ABSENT.update(dict.fromkeys(_HOOKS_ONLY.split(), HELPERS))
KINDS_ABSENT = frozenset(
    ["automation", "challenge", "contributor", "data", "docker", "docs", "experiment", "project", "report"]
)
"""Automations of the original tools that have no actions here, unless a repository brings artifacts of that kind."""
COMMON = ("search", "add", "delete", "load", "update", "copy", "move", "info", "test", "help")
# Each automation has the common actions and its own; a module is imported when its action is asked for.
OWN = {
    "repo": ("pull", "checkout", "where", "show", "import_", "init", "detect", "reindex", "pack", "unpack"),
    "cache": ("show", "prune", "verify", "mark_tmp"),
    "script": ("run", "docker", "dockerfile", "test", "prepare", "doc", "show", "lint"),
    "core": ("init", "test", "uid"),
    "utils": ("download_file", "unzip_file", "system", "get_host_os_info", "list_files_recursively"),
}
UIDS = {
    "5b4e0237da074764": "script",
    "541d6f712a6b464e": "cache",
    "dc2743f8450541e3": "utils",
    "a0a2d123ef064bcb": "experiment",
    "88dce9c160324c5d": "cfg",
}


def perform(context: Context, inputs: Inputs) -> Answer:
    """Performs an action and returns its result dictionary.

    Raises: RecipeFault (4) for an unknown action or automation, and all errors of the action.
    """
    action = str(inputs.get("action") or "").replace("-", "_")
    if asks_for_help(inputs) and not inputs.get("automation"):
        from assay.recipes.actions.usage import forms

        context.console.say(forms(action) or f"{action} AUTOMATION")
        return {"return": 0}
    if action == "import":
        action = "import_"
    only_prints = action == "print_input"  # `test` as automations have it that have no own one
    action = SYNONYMS.get(action, action)
    default = "core" if action in ("init", "uid") else ""
    automation = automation_name(context, str(inputs.get("automation") or default), action)
    if automation == "utils" and action in OWN["core"]:  # CM has `uid` and `test` in `utils` too
        automation = "core"
    own = () if only_prints else OWN.get(automation, ())
    if (
        action == "show" and automation not in OWN
    ):  # of experiments and the like there is nothing more to show
        action = "search"
    if action == "delete" and automation in ("repo", "cache"):
        return _call(automation, "delete", context, inputs)
    if action in ("search", "add", "update") and automation == "repo":
        return _call("repo", action, context, inputs)
    if action in own:
        return _call(automation, action, context, inputs)
    if action in COMMON:
        return _call("common", action, context, inputs | {"automation": automation})
    tags = tag_text(inputs) or str(inputs.get("artifact") or "TAGS").strip(",")
    _refuse_absent(action, automation, tags)
    raise RecipeFault(
        f'action "{action}" not found in automation "{automation}"',
        UNKNOWN_ACTION,
        did_you_mean(action, {*COMMON, *own}),
    )


def _refuse_absent(action: str, automation: str, tags: str) -> None:
    """Raises: RecipeFault (4) for an action that the original tools have and this program lacks. The hint says what
    to use instead."""
    instead = next((ABSENT[name] for name in ABSENT if action.startswith(name) or automation == name), "")
    if instead:
        hint = instead.replace("TAGS", tags)
        words = f"{action} {automation}".strip()
        raise RecipeFault(f'"{words}" is not part of this runner', UNKNOWN_ACTION, hint)


def automation_name(context: Context, text: str, action: str = "") -> str:
    """The folder name of an automation that is given by alias, uid, or both.

    Raises: RecipeFault (4) when no repository has artifacts of that kind.
    """
    if not text:
        _refuse_absent(action, text, "TAGS")
        raise RecipeFault("automation is not defined", UNKNOWN_ACTION, "name one: script, cache or repo")
    name = ArtifactName.parse(text.rpartition(":")[2])
    if name.uid in UIDS:
        return UIDS[name.uid]
    alias = {"repos": "repo"}.get(name.alias, name.alias)
    if alias in OWN or alias in UIDS.values():
        return alias
    known = context.index.automations()
    described = any((repo.root / "automation" / alias).is_dir() for repo in context.home.repositories())
    if alias in known or described:
        return alias
    if alias in KINDS_ABSENT:
        _refuse_absent(action, alias, "TAGS")
        raise RecipeFault(
            f'"{action} {alias}" is not part of this runner',
            UNKNOWN_ACTION,
            "find script, find cache and find repo list what there is",
        )
    raise RecipeFault(f'automation "{text}" not found', UNKNOWN_ACTION, did_you_mean(alias, {*known, *OWN}))


def _call(module: str, action: str, context: Context, inputs: Inputs) -> Answer:
    if module == "utils":
        return _help(action, inputs)
    actions = importlib.import_module(f"assay.recipes.actions.{module}")
    function: Callable[[Context, Inputs], Answer] = getattr(actions, action)
    if asks_for_help(inputs) and not (action == "run" and (inputs.get("artifact") or inputs.get("tags"))):
        from assay.recipes.actions.usage import usage

        automation = str(inputs["automation"]) if module == "common" else module
        context.console.say(usage(action, automation, function))
        return {"return": 0}
    return function(context, inputs)


def _help(action: str, inputs: Inputs) -> Answer:
    """A helper, which hands an error back: as what an action raises, it also ends a command line with its code.

    Raises: RecipeFault for such an error, and for an input that is missing.
    """
    helpers = importlib.import_module("assay.recipes.contract.helpers")
    try:
        answer: Answer = helpers.ACTIONS[action](inputs)
    except KeyError as missing:
        name = missing.args[0]
        raise RecipeFault(f'{action.replace("_", "-")} utils needs "{name}"', 1, f"--{name}=…") from missing
    if answer["return"]:
        raise RecipeFault(str(answer.get("error") or action), int(answer["return"]))
    return answer


def asks_for_help(inputs: Inputs) -> bool:
    return bool(inputs.get("help") or inputs.get("h"))


def access_for(context: Context) -> Callable[..., Answer]:
    """The `access` function for hooks. It takes a dictionary or the words of a command line. A RecipeFault becomes a
    result dictionary."""

    def access(request: Any, out: Any = None) -> Answer:
        inputs = dict(request) if isinstance(request, dict) else parse(_as_words(request))
        asking = context if (inputs.pop("out", None) or out) == "con" else context.quietly()
        try:
            return perform(asking, inputs)
        except RecipeFault as fault:
            return fault.answer()

    return access


def _as_words(request: Any) -> list[str]:
    if isinstance(request, str):
        import shlex

        return shlex.split(request)
    return [str(word) for word in request]
