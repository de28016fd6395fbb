"""The `--help` text of an action: its command line, and what it does."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

# By action and automation, or only by action if it is the same for all automations.
FORMS = {
    "pull repo": "pull repo [OWNER@NAME | URL] [--url=] [--branch=] [--checkout=] [--new_branch=] [--dir=] [--depth=] "
    "[--pat=]",
    "checkout repo": "checkout repo NAME --branch=NAME | --checkout=COMMIT",
    "delete repo": "rm repo NAME … [-f] [--all]",
    "add repo": "add repo NAME [--path=FOLDER | --here] [--prefix=] [--desc=]",
    "import_ repo": "import repo [NAME] [--path=FOLDER]",
    "pack repo": "pack repo NAME",
    "unpack repo": "unpack repo [FILE.zip] [NAME]",
    "reindex repo": "reindex repo",
    "delete cache": "rm cache [NAME …] [--tags=a,b] [-f]",
    "show cache": "show cache [NAME …] [--tags=a,b] [--env]",
    "prune cache": "prune cache [--tags=a,b]",
    "verify cache": "verify cache [--tags=a,b]",
    "show script": "show script NAME | --tags=a,b",
    "init core": "init [--repo=OWNER@NAME | --url=] [--branch=] [--skip]",
    "test core": "test core",
    "uid core": "uid",
    "test script": "test script NAME | --tags=a,b",
    "docker script": "docker script --tags=a,b,_variation [--docker_dry_run] [--docker_os=] [flags of run script]",
    "search": "find AUTOMATION [NAME …] [--tags=a,b,-c]",
    "add": "add AUTOMATION [REPO:]NAME [--tags=a,b] [--meta.KEY=VALUE]",
    "delete": "rm AUTOMATION NAME … | --tags=a,b [-f]",
    "load": "load AUTOMATION NAME | --tags=a,b",
    "update": "update AUTOMATION NAME --tags=a,b [--meta.KEY=VALUE]",
    "copy": "copy AUTOMATION NAME [REPO:]NEW_NAME",
    "move": "move AUTOMATION NAME [REPO:]NEW_NAME",
}
RUN = """run script --tags=a,b,_variation,-excluded | "a b _variation" | NAME
  --env.KEY=VALUE --state.KEY=VALUE      variables and state; --env.KEY,=a,b is a list
  --version= --version_min= --version_max=   of the tool that the recipe gets
  --adr.NAME.tags=_v --adr.NAME.version=     for dependencies of that name, however deep
  --quiet --silent --verbose (-v)        take the first of several; say less; say more
  --new --renew --skip_cache --force_cache --cache=exact|cm --cache_expiration=12h
  --extra_cache_tags=a,b --only_execute_from_cache
  --fake_run --fake_deps --ignore_script_error --skip_remembered_selections
  --print_deps --print_env --print_versions --dump_version_info --print_readme --time --space
  --save_env --shell --repro --debug_script_tags=a,b --dirty
  --out=json --save_to_json=FILE -j      the result as JSON
  --lock=FILE                            what the run was made of; assay recipe reproduce FILE runs it again
  --allow_sudo --user_python             let recipes use sudo; install into your Python, not into the home's
  --recipes=OWNER@NAME                   the recipe of a pulled repository, not Assay's own
  --compat=strict                        CM's reading where Assay's differs (docs/cm-contract.md)
  @file.json @file.yaml                  more of these; `--` ends them
With --help behind a request: the variations and inputs of that recipe. assay recipe plan a,b: what would run."""


def forms(verb: str) -> str:
    """The command lines that begin with a verb."""
    return "\n".join(form for form in (RUN, *FORMS.values()) if form.split()[0] == verb)


def usage(action: str, automation: str, function: Callable[..., Any]) -> str:
    """The command line of an action, and the first paragraph of its function's docstring."""
    if (action, automation) == ("run", "script"):
        return RUN
    form = FORMS.get(f"{action} {automation}") or FORMS.get(action, f"{action.rstrip('_')} AUTOMATION")
    text = (inspect.getdoc(function) or "").split("\n\n")[0].split("\nRaises:")[0]
    return f"{form.replace('AUTOMATION', automation)}\n  {' '.join(text.split())}"
