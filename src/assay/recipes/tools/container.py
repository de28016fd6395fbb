"""A recipe in a container: its image is built, and the recipe runs in it with its mounts, devices and secrets."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from assay.ground.bind_mount import bind_mount
from assay.ground.files import write_text
from assay.recipes.contract import secrets
from assay.recipes.contract.flags import is_on
from assay.recipes.contract.helpers import is_true
from assay.recipes.errors import RecipeFault
from assay.recipes.model.conditions import applies
from assay.recipes.run.context import Answer, Context, Inputs
from assay.recipes.run.request import RecipeRequest, answer_request, scope_of
from assay.recipes.run.session import Access
from assay.recipes.tools.container_image import (
    Container,
    container_for,
    dockerfile_path,
    dockerfile_text,
    inner_command,
    inputs_inside,
    points_home,
)
from assay.recipes.values import Given, Values

_MOUNT_KEY = re.compile(r"\$\{\{\s*(\w+)\s*\}\}")
PROXIES = ("ftp_proxy", "http_proxy", "https_proxy", "no_proxy", "socks_proxy")
VARIABLE_OPTIONS = frozenset(("-e", "--env", "--build-arg"))
SECRETS, SECRETS_FILE = "ASSAY_SECRETS", "/tmp/assay-secrets.json"  # inside, only for its user


def run_in_container(context: Context, inputs: Inputs, access: Access | None = None) -> Answer:
    """Builds the image, unless `--docker_skip_build` is given, and runs the recipe in it.

    With `--docker_dry_run` the two commands are only printed. Raises: RecipeFault (1) without docker and podman, (2)
    when a command fails; the message has its exit status.
    """
    request = answer_request(context.index, inputs, scope_of(inputs), context.host_env)
    with request.resolved.recipe.errors_attributed():
        return _build_and_run(context, inputs, request, access)


def _build_and_run(context: Context, inputs: Inputs, request: RecipeRequest, access: Access | None) -> Answer:
    container = container_for(context, request)
    dry = is_on(inputs, "docker_dry_run")
    engine = find_engine(str(container.get("tool")), required=not dry)
    path = dockerfile_path(context, request, container)
    if not any(is_on(inputs, name) for name in ("docker_noregenerate", "docker_skip_build")):
        write_text(path, dockerfile_text(context, request, container))
    image = container.image(request.resolved.recipe.alias)
    host_env = (
        _host_dependencies(context, request, container, access) if not dry else dict(request.resolved.env)
    )
    build = build_command(engine, path, image, container, context.host_env)
    run = run_command(context, request, container, engine, image, host_env)
    secret_inputs = inputs_with_secrets(request)
    handed = {**_variables(secret_inputs), SECRETS: json.dumps(secret_inputs)} if secret_inputs else {}
    if not context.dialect.reads_arguments_from_file and (
        lost := [key for key in secret_inputs if key != "env"]
    ):
        context.console.note(
            f"assay: mlc reads no file, so the secrets of {', '.join(map('--{}'.format, lost))} stay outside; "
            "give them as --env.NAME=VALUE"
        )
    commands = [run] if is_on(inputs, "docker_skip_build") else [build, run]
    for number, command in enumerate(commands):
        words, secret = through_environment(command)
        commands[number] = words
        context.console.say(shlex.join(words))
        if dry:
            continue
        status = subprocess.run(words, check=False, env={**context.host_env, **handed, **secret}).returncode
        if status:
            raise RecipeFault(
                f"{Path(command[0]).name} {command[1]} ended with exit {status}",
                2,
                f"the Dockerfile is {path}",
            )
    return {"return": 0, "commands": commands, "dockerfile": str(path), "image": image}


def through_environment(command: list[str]) -> tuple[list[str], dict[str, str]]:
    """(command, variables): secrets as `-e NAME` instead of `-e NAME=VALUE`, and the variables that the process
    needs for that."""
    words, secret = list(command), {}
    for place, word in enumerate(command):
        option, equals, assignment = word.partition("=")
        before = f"{option}="
        if option not in VARIABLE_OPTIONS:
            continue
        if not equals:
            place, before, assignment = place + 1, "", "".join(command[place + 1 : place + 2])
        name, equals, value = assignment.partition("=")
        if equals and secrets.holds(value, name):
            words[place] = before + name
            secret[name] = value
    return words, secret


def find_engine(wanted: str, *, required: bool) -> str:
    """The path of docker or podman.

    Raises: RecipeFault (1) when it is required and neither is installed.
    """
    for name in [wanted] if wanted else ["docker", "podman"]:
        found = shutil.which(name)
        if found:
            return found
    if required:
        raise RecipeFault(
            "neither docker nor podman is installed", 1, "--docker_dry_run prints what would run"
        )
    return wanted or "docker"


def build_command(
    engine: str, path: Path, image: str, container: Container, host_env: Mapping[str, str]
) -> list[str]:
    """The build command. The host user's ids and the proxies are build arguments; tokens are not."""
    import os

    arguments = []
    if str(container.get("use_host_user_id", True)).lower() not in ("false", "no", "0"):
        arguments.append(f"UID={os.getuid()}")
    if str(container.get("use_host_group_id", True)).lower() not in ("false", "no", "0"):
        arguments.append(f"GID={os.getgid()}")
    # Names without values: the engine reads them from its environment. A proxy URL may have a password.
    arguments += [key for key in PROXIES if host_env.get(key)]
    words = [word for argument in arguments for word in ("--build-arg", argument)]
    return [engine, "build", *words, "-f", str(path), "-t", image, str(path.parent)]


def _host_dependencies(
    context: Context, request: RecipeRequest, container: Container, access: Access | None
) -> Values:
    """Runs the recipe's `docker.deps` on the host. Returns the variables with their results."""
    from assay.recipes.run.start import make_runner

    env = dict(request.resolved.env)
    for entry in container.listed("deps"):
        if not entry.get("tags") or not applies(entry, env):
            continue
        runner = make_runner(context, request.inputs, access, strict=False)
        answer = runner.run(
            {"tags": entry["tags"], "quiet": "yes", "env": {**env, **(entry.get("env") or {})}}
        )
        context.runner = None
        env.update(answer["new_env"])
    return env


def _keys_of_parents(request: RecipeRequest) -> frozenset[str]:
    """Variables whose parent folder MLC mounts: they name a file, or a folder that needs the files next to it."""
    meta = request.resolved.recipe.meta
    return frozenset([*(meta.get("file_path_env_keys") or []), *(meta.get("folder_path_env_keys") or [])])


def mounts(
    context: Context, container: Container, env: Given, of_parents: frozenset[str]
) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    """((host, container, options) of each mount that has all its variables set, the variables with their values
    inside)."""
    found: list[tuple[str, str, str]] = []
    inside: dict[str, str] = {}
    for template in container.listed("mounts"):
        keys = _MOUNT_KEY.findall(str(template))
        if any(not env.get(key) for key in keys):
            continue
        # Before a value comes in: it may have a colon of its own.
        host, _, target = str(template).partition(":")
        target, _, options = target.partition(":")
        host = _MOUNT_KEY.sub(lambda m: str(env[m[1]]), host)
        if points_home(context, host):
            entry = Path(*Path(host).relative_to(context.home.cache).parts[:1])
            place = f"/home/{container.user}/{context.dialect.name.upper()}/repos/local/cache/{entry}"
            found.append((str(context.home.cache / entry), place, options))
            moved = {key: str(env[key]).replace(str(context.home.cache / entry), place) for key in keys}
        else:
            target = _MOUNT_KEY.sub(lambda m: container.mount_root + str(env[m[1]]), target)
            if of_parents.intersection(keys):
                host, target = (str(Path(place).parent) for place in (host, target))
            found.append((host, target, options))
            moved = {key: container.mount_root + str(env[key]) for key in keys}
        inside.update(moved)
    return found, inside


def volume_words(host: str, target: str, options: str) -> list[str]:
    """`-v HOST:TARGET[:OPTIONS]`, which makes a folder that is missing, or `--mount …` for paths with a colon.

    Raises: RecipeFault (1) for options that `--mount` has no word for.
    """
    if ":" not in host + target:
        return ["-v", ":".join(filter(None, (host, target, options)))]
    if options not in ("", "ro", "rw"):
        raise RecipeFault(
            f"a path with a colon cannot be mounted with the options {options}: {host}",
            1,
            "mount a folder without a colon in its path, such as a symbolic link to it",
        )
    return bind_mount(host, target, *(["readonly"] if options == "ro" else []))


def run_command(
    context: Context,
    request: RecipeRequest,
    container: Container,
    engine: str,
    image: str,
    env: Given,
) -> list[str]:
    """The run command: mounts, devices and ports as arguments, then the request as the command inside."""
    volumes, inside = mounts(context, container, env, _keys_of_parents(request))
    prefix = context.dialect.prefix
    inside[prefix + "RUN_STATE_DOCKER"] = "True"
    secret = inputs_with_secrets(request)
    handed = [key for key in (*PROXIES, "GH_TOKEN") if context.host_env.get(key)]
    handed += [SECRETS, *_variables(secret)] if secret else []
    words = [engine, "run", "--rm"]
    words += [word for key in handed for word in ("-e", key)]
    words += ["-d"] if is_true(container.get("detached")) else []
    words += ["-it"] if is_true(container.get("interactive", container.get("it"))) else []
    words += ["--gpus=all"] if is_true(container.get("all_gpus")) else []
    words += ["--privileged"] if is_true(container.get("privileged")) else []
    words += [f"--device={container.get('device')}"] if container.get("device") else []
    words += [f"--shm-size={container.get('shm_size')}"] if container.get("shm_size") else []
    words += [word for port in container.listed("port_maps") for word in ("-p", str(port))]
    if is_true(container.get("mount_current_dir")):
        volumes.append((str(Path.cwd()), f"{container.mount_root}{Path.cwd()}", ""))
    words += [word for volume in dict.fromkeys(volumes) for word in volume_words(*volume)]
    words += container.split("extra_run_args")
    tool, run, script, *flags = inner_command(context, request, inside)
    reads = bool(secret) and context.dialect.reads_arguments_from_file
    read = [f"@{SECRETS_FILE}"] if reads else []
    write = f"(umask 077; printenv {SECRETS} > {SECRETS_FILE}); " if reads else ""
    command = [*container.split("run_cmd_prefix"), tool, run, script, *read, *flags, "--docker_run_deps"]
    return [*words, image, "bash", "-c", write + shlex.join(command)]


def inputs_with_secrets(request: RecipeRequest) -> Values:
    """The inputs of a request that are secrets, in the same nesting."""
    return secrets.parted(inputs_inside(request))[1]


def _variables(secret: Given) -> dict[str, str]:
    """The secrets that are environment variables."""
    return {key: value for key, value in secret.get("env", {}).items() if isinstance(value, str)}
