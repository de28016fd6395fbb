"""The runner's own flags, read from the inputs of a call: `--quiet`, `--new`, `--fake_run`, `--v=False`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from assay.recipes.contract.dialect import Dialect
from assay.recipes.contract.truth import is_off
from assay.recipes.errors import GENERAL, RecipeFault
from assay.recipes.values import Given, Values


def is_on(inputs: Given, *names: str, strict: bool = False) -> bool:
    """Whether one of these flags is given and not false. `False`, `no`, `off` and `0` are false.

    With `strict` every text that is not empty is true, even `False`, as in CM.
    """
    return any(is_set(inputs[name], strict=strict) for name in names if name in inputs)


def is_set(value: Any, *, strict: bool = False) -> bool:
    if isinstance(value, str):
        return bool(value) if strict else not is_off(value)
    return bool(value)


def is_yes(inputs: Given, *names: str) -> bool:
    """Whether one of these flags is true, yes or on. Only for the few flags that CM itself reads this way."""
    return any(str(inputs.get(name, "")).lower() in ("true", "yes", "on") for name in names)


DEPENDENCY_INPUTS = ("ad", "adr", "add_deps", "add_deps_recursive")
NESTED = ("env", "state", "const", "const_state", *DEPENDENCY_INPUTS)


def check_nested(inputs: Given) -> None:
    """Raises: RecipeFault (1) for a plain value where a dictionary is needed, as in `--env=1`."""
    for key in NESTED:
        if not isinstance(inputs.get(key) or {}, dict):
            raise RecipeFault(
                f"--{key}={inputs[key]} is a plain value, where names with values belong",
                GENERAL,
                f"--{key}.NAME=VALUE",
            )


class Flags(NamedTuple):
    """The flags of one call of a recipe, top-level or as a dependency."""

    quiet: bool
    silent: bool
    verbose: bool
    new: bool
    renew: bool
    skip_cache: bool
    force_cache: bool
    only_from_cache: bool
    fake_run: bool
    fake_deps: bool
    ignore_script_error: bool
    dirty: bool
    shell: bool
    time: bool
    print_env: bool
    docker_run_deps: bool
    forget_selections: bool
    extra_cache_tags: str
    debug_script_tags: str

    @classmethod
    def read(cls, inputs: Given, env: Given, prefix: str, *, strict: bool) -> Flags:
        def on(*names: str) -> bool:
            return is_on(inputs, *names, strict=strict)

        def env_yes(name: str) -> bool:
            return str(env.get(prefix + name, "")).lower() == "yes"

        silent = is_yes(inputs, "silent", "s")
        return cls(
            quiet=on("quiet") if "quiet" in inputs else env_yes("QUIET"),
            silent=silent,
            verbose=not silent and (on("verbose") if "verbose" in inputs else on("v")),
            new=on("new"),
            renew=on("renew"),
            skip_cache=on("skip_cache"),
            force_cache=on("force_cache"),
            only_from_cache=on("only_execute_from_cache"),
            fake_run=on("fake_run") if "fake_run" in inputs else on("prepare"),
            fake_deps=on("fake_deps"),
            ignore_script_error=on("ignore_script_error"),
            dirty=on("dirty"),
            shell=on("shell"),
            time=on("time"),
            print_env=on("print_env"),
            docker_run_deps=on("docker_run_deps"),
            forget_selections=on("skip_remembered_selections")
            if "skip_remembered_selections" in inputs
            else env_yes("SKIP_REMEMBERED_SELECTIONS"),
            extra_cache_tags=str(inputs.get("extra_cache_tags") or ""),
            debug_script_tags=str(inputs.get("debug_script_tags") or ""),
        )


# Inputs that become `CM_<NAME>`; `path` becomes `CM_TMP_PATH`. Source: tables of the pinned engine and of HEAD.
INPUTS_TO_ENV = (
    "input",
    "output",
    "outdirname",
    "outbasename",
    "name",
    "extra_cache_tags",
    "skip_compile",
    "skip_run",
    "accept_license",
    "skip_system_deps",
    "git_ssh",
    "gh_token",
)
_RUNNER_INPUTS = """
action artifact artifacts automation cmd tags env const recipes strict compat docker
quiet q silent s verbose v time print_deps print_env print_versions print_readme dump_version_info repro
new renew skip_cache force_cache cache cache_expiration only_execute_from_cache dirty shell save_env
fake_run fake_deps prepare ignore_script_error skip_remembered_selections skip_write_test debug debug_script_tags
debug_uid space skip_sudo skip_sys_utils allow_sudo user_python out json j save_to_json lock help h
"""
# Inputs that the runner itself reads, or that change nothing about what a recipe without steps does.
RUNNER_INPUTS = frozenset(
    (
        *_RUNNER_INPUTS.split(),
        *DEPENDENCY_INPUTS,
        *(name for name in INPUTS_TO_ENV if name.startswith("skip_")),
    )
)
HOST_KEYS = ("GH_TOKEN", "ftp_proxy", "http_proxy", "https_proxy", "no_proxy", "socks_proxy")


def begin_env(
    env: Values,
    inputs: Given,
    flags: Flags,
    host_env: Mapping[str, str],
    folder: str,
    dialect: Dialect,
) -> None:
    """Sets the variables of a call that exist before any recipe is looked up."""
    prefix = dialect.prefix
    switches = {
        "TMP_FAKE_RUN": flags.fake_run,
        "TMP_FAKE_DEPS": flags.fake_deps,
        "SKIP_SYS_UTILS": is_yes(inputs, "skip_sys_utils"),
        dialect.skip_sudo: is_yes(inputs, "skip_sudo"),
        "TMP_SILENT": flags.silent,
        dialect.verbose: flags.verbose,
        "QUIET": flags.quiet,
        "SKIP_REMEMBERED_SELECTIONS": flags.forget_selections,
    }
    env.update({prefix + name: "yes" for name, is_on_ in switches.items() if is_on_})
    if inputs.get("debug_uid"):
        env[prefix + "TMP_DEBUG_UID"] = inputs["debug_uid"]
    env[prefix + "TMP_CURRENT_PATH"] = folder
    for key in (spelled for name in HOST_KEYS for spelled in dict.fromkeys((name, name.upper()))):
        if host_env.get(key) and not env.get(key):
            env[key] = host_env[key]
    env.update(dialect.host_values())
    for key, value in dialect.inherited_values(host_env).items():
        env.setdefault(key, value)
    for name in dialect.path_inputs:
        if text := str(inputs.get(name) or "").strip():
            env[f"{prefix}TMP_{name.upper()}"] = text
    for name in (*INPUTS_TO_ENV, *dialect.more_inputs_to_env):
        value = inputs.get(name, "")
        value = value.strip() if isinstance(value, str) else value
        if value != "":
            env[prefix + name.upper()] = value
