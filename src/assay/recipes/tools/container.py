"""Recipes in containers: a Dockerfile with the recipe's dependencies, and the command that runs the recipe in its
image."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground.files import write_text
from assay.recipes.contract import secrets
from assay.recipes.contract.flags import is_on
from assay.recipes.contract.git_login import apart
from assay.recipes.contract.helpers import is_true
from assay.recipes.errors import RecipeFault
from assay.recipes.home.load import load_recipe
from assay.recipes.model.conditions import applies
from assay.recipes.run.context import Answer, Context, Inputs
from assay.recipes.run.request import RecipeRequest, answer_request, scope_of
from assay.recipes.run.session import Access
from assay.recipes.values import Given, Values

_MOUNT_KEY = re.compile(r"\$\{\{\s*(\w+)\s*\}\}")
PACKAGES = {
    "ubuntu": "apt-get update -y && apt-get install -y python3 python3-pip python3-venv git sudo wget curl",
    "debian": "apt-get update -y && apt-get install -y python3 python3-pip python3-venv git sudo wget curl",
    "rhel": "dnf install -y python3 python3-pip git sudo wget",
    "arch": "pacman -Syu --noconfirm python python-pip git sudo wget",
}
IMAGES = {"rhel": "registry.access.redhat.com/ubi{}", "arch": "archlinux"}
PROXIES = ("ftp_proxy", "http_proxy", "https_proxy", "no_proxy", "socks_proxy")
VARIABLE_OPTIONS = frozenset(("-e", "--env", "--build-arg"))
SECRETS, SECRETS_FILE = "ASSAY_SECRETS", "/tmp/assay-secrets.json"  # inside, only for its user


@dataclass(frozen=True)
class Container:
    """The settings of one image and its run. An input `docker_X` overrides the recipe's `docker: X`."""

    settings: Given
    user: str
    mount_root: str

    def get(self, name: str, default: Any = "") -> Any:
        value = self.settings.get(name)
        return default if value is None or value == "" else value

    def listed(self, name: str) -> list[Any]:
        """A setting as a list; a text becomes a list of one. Raises: RecipeFault (4) for anything else."""
        value = self.get(name) or []
        if isinstance(value, str):
            return [value]
        return self._of(name, value, list, "a list")  # type: ignore[no-any-return]

    def split(self, name: str) -> list[str]:
        """A setting as a list of words, split as a shell does. Raises: RecipeFault (4) for a value that is not a
        text, or an open quote."""
        text = self._of(name, self.get(name) or "", str, "text")
        try:
            return shlex.split(text)
        except ValueError as problem:
            raise RecipeFault(f"docker: {name} is no command line: {problem}: {text}", 4) from problem

    def named(self, name: str) -> Values:
        """A setting as a dictionary. Raises: RecipeFault (4) for anything else."""
        values = self._of(name, self.get(name) or {}, dict, "a dictionary")
        return {str(key): value for key, value in values.items()}

    def _of(self, name: str, value: Any, kind: type, form: str) -> Any:
        if not isinstance(value, kind):
            raise RecipeFault(f"docker: {name} must be {form}, not {value!r}", 4)
        return value

    @property
    def os_name(self) -> str:
        return str(self.get("os", "ubuntu"))

    @property
    def os_version(self) -> str:
        return str(self.get("os_version", "22.04"))

    @property
    def base_image(self) -> str:
        name = self.os_name
        default = IMAGES[name].format(self.os_version) if name in IMAGES else f"{name}:{self.os_version}"
        return str(self.get("base_image", default))

    def image(self, alias: str) -> str:
        """`repository/name:tag` of the image for a recipe."""
        name = str(self.get("image_name", f"cm-script-{alias}"))
        tag = str(self.get("image_tag", f"{self.base_image.replace('/', '-').replace(':', '-')}-latest"))
        extra = str(self.get("image_tag_extra", ""))
        return f"{self.get('image_repo', 'local')}/{name}:{tag}{extra}".lower()


def container_for(context: Context, request: RecipeRequest) -> Container:
    _learn_secret_options(context)
    settings = dict(request.resolved.docker)
    nested = request.inputs.get("docker")
    if isinstance(nested, dict):
        settings.update(nested)
    settings.update(
        {
            key.removeprefix("docker_"): value
            for key, value in request.inputs.items()
            if key.startswith("docker_")
        }
    )
    name = context.dialect.name
    return Container(settings, f"{name}user", f"/{name}-mount")


def _learn_secret_options(context: Context) -> None:
    """Learns from all recipes which options are secrets. A dependency may be the only recipe that maps an option to
    a secret, and it is resolved only inside the container."""
    for artifact in context.index.artifacts("script"):
        with suppress(RecipeFault):  # a broken recipe is reported when it is used
            secrets.learn_below(load_recipe(context.index, artifact).meta)


def write_dockerfile(context: Context, inputs: Inputs) -> Answer:
    """Writes the Dockerfile of a recipe. Returns CM's result dictionary with its `path` and `text`."""
    request = answer_request(context.index, inputs, scope_of(inputs), context.host_env)
    with request.resolved.recipe.errors_attributed():
        container = container_for(context, request)
        path = dockerfile_path(context, request, container)
        text = dockerfile_text(context, request, container)
    write_text(path, text)
    context.console.say(f"Dockerfile: {path}")
    return {"return": 0, "path": str(path), "text": text}


def dockerfile_path(context: Context, request: RecipeRequest, container: Container) -> Path:
    """The path of the Dockerfile: `--docker_path`, or one below the home's `local`. Pulled repositories are never
    written to."""
    recipe = request.resolved.recipe
    if container.get("path"):
        return Path(str(container.get("path"))).absolute()
    name = str(container.get("base_image") or f"{container.os_name}_{container.os_version}").replace("/", "-")
    folder = context.home.local / "docker" / f"{recipe.alias}_{recipe.uid[:5]}" / "dockerfiles"
    return folder / f"{name.replace(':', '-')}.Dockerfile"


def dockerfile_text(context: Context, request: RecipeRequest, container: Container) -> str:
    """The Dockerfile of an image that contains the runner, the recipe repositories, and the results of the recipe's
    dependencies."""
    packages = PACKAGES.get(container.os_name, PACKAGES["ubuntu"])
    lines = [
        f"FROM {container.base_image}",
        "ARG UID=1000",
        "ARG GID=1000",
        'SHELL ["/bin/bash", "-c"]',
        "ENV TZ=Etc/UTC DEBIAN_FRONTEND=noninteractive",
        f"RUN {packages} {' '.join(str(container.get('extra_sys_deps')).split())}".rstrip(),
        f"RUN groupadd -o -g $GID {container.user} && useradd -m -o -u $UID -g $GID {container.user} "
        f"&& echo '{container.user} ALL=(ALL) NOPASSWD:ALL' >> /etc/sudoers",
        f"USER {container.user}",
        f"WORKDIR /home/{container.user}",
        f"ENV PATH=/home/{container.user}/venv/bin:$PATH",
        f"RUN python3 -m venv ~/venv && pip install {context.dialect.package}",
    ]
    plain = secrets.without(container.named("build_env"))
    lines += [f"ENV {key}={shlex.quote(str(value))}" for key, value in plain.items()]
    lines += [f"RUN {shlex.join(words)}" for words in _pull_commands(context, container)]
    lines += [f"RUN {command}" for command in container.listed("pre_run_cmds")]
    real = str(container.get("real_run", "")).lower() == "yes"
    fake = [] if real else ["--fake_run"]
    lines.append(f"RUN {shlex.join([*inner_command(context, request), *fake, '--quiet'])}")
    return "\n".join(lines) + "\n"


def _pull_commands(context: Context, container: Container) -> list[list[str]]:
    """The commands that pull this home's repositories at their current commits, or the one repository of the
    settings."""
    from assay.recipes.home import git

    tool = context.dialect.name
    chosen = container.get(f"{tool}_repo")
    if chosen:
        branch = container.get(f"{tool}_repo_branch")
        flags = container.split(f"{tool}_repo_flags")
        return [
            [tool, "pull", "repo", apart(str(chosen))[0], *([f"--branch={branch}"] if branch else []), *flags]
        ]
    commands = []
    for repo in context.home.pulled():
        origin = git.origin(repo.path)
        if origin and origin.url:
            commands.append(
                [tool, "pull", "repo", repo.path.name, f"--url={origin.url}", f"--checkout={origin.commit}"]
            )
    return commands


def inner_command(
    context: Context, request: RecipeRequest, extra: Mapping[str, str] | None = None
) -> list[str]:
    """The command line of this request for use inside the container, without docker flags and without host paths to
    caches."""
    inputs = _inputs_for_inside(request)
    env = dict(inputs.get("env") or {})
    env = {k: v for k, v in env.items() if not _points_home(context, v) and "_TMP_" not in k}
    inputs["env"] = {**env, **(extra or {})}
    inputs = secrets.without(inputs)
    name = request.inputs.get("artifact")
    words = [context.dialect.name, "run", "script", *([str(name)] if name and " " not in str(name) else [])]
    if not request.inputs.get("tags") and name and " " in str(name):
        inputs["tags"] = str(name).replace(" ", ",")
    return [*words, *flag_words(inputs)]


def _inputs_for_inside(request: RecipeRequest) -> Values:
    skipped = {"action", "automation", "cmd", "out", "artifact", "artifacts", "docker", "lock", "user_python"}
    skipped.update(request.resolved.docker.get("skip_input_for_fake_run") or [])
    return {k: v for k, v in request.inputs.items() if k not in skipped and not k.startswith("docker_")}


def _points_home(context: Context, value: Any) -> bool:
    return isinstance(value, str) and value.startswith((str(context.home.cache), str(context.home.folder)))


def flag_words(inputs: Given, prefix: str = "") -> list[str]:
    """Nested inputs as flags: `--env.A=1`, `--env.L,=a,b`, `--quiet`."""
    words: list[str] = []
    for key, value in inputs.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            words += flag_words(value, f"{name}.")
        elif isinstance(value, list):
            words.append(f"--{name},={','.join(map(str, value))}")
        elif value is True:
            words.append(f"--{name}")
        elif value is False:
            words.append(f"--{name}-")
        else:
            words.append(f"--{name}={value}")
    return words


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
) -> tuple[list[str], dict[str, str]]:
    """(`host:container` for each mount that has all its variables set, the variables with their values inside)."""
    found: list[str] = []
    inside: dict[str, str] = {}
    for template in container.listed("mounts"):
        keys = _MOUNT_KEY.findall(str(template))
        if any(not env.get(key) for key in keys):
            continue
        host, _, target = str(template).partition(":")
        host = _MOUNT_KEY.sub(lambda m: str(env[m[1]]), host)
        if _points_home(context, host):
            entry = Path(*Path(host).relative_to(context.home.cache).parts[:1])
            place = f"/home/{container.user}/{context.dialect.name.upper()}/repos/local/cache/{entry}"
            found.append(f"{context.home.cache / entry}:{place}")
            moved = {key: str(env[key]).replace(str(context.home.cache / entry), place) for key in keys}
        else:
            target = _MOUNT_KEY.sub(lambda m: container.mount_root + str(env[m[1]]), target)
            if of_parents.intersection(keys):
                host, target = (str(Path(place).parent) for place in (host, target))
            found.append(f"{host}:{target}")
            moved = {key: container.mount_root + str(env[key]) for key in keys}
        inside.update(moved)
    return list(dict.fromkeys(found)), inside


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
    words += [word for volume in volumes for word in ("-v", volume)]
    if is_true(container.get("mount_current_dir")):
        words += ["-v", f"{Path.cwd()}:{container.mount_root}{Path.cwd()}"]
    words += container.split("extra_run_args")
    tool, run, script, *flags = inner_command(context, request, inside)
    reads = bool(secret) and context.dialect.reads_arguments_from_file
    read = [f"@{SECRETS_FILE}"] if reads else []
    write = f"(umask 077; printenv {SECRETS} > {SECRETS_FILE}); " if reads else ""
    command = [*container.split("run_cmd_prefix"), tool, run, script, *read, *flags, "--docker_run_deps"]
    return [*words, image, "bash", "-c", write + shlex.join(command)]


def inputs_with_secrets(request: RecipeRequest) -> Values:
    """The inputs of a request that are secrets, in the same nesting."""
    return secrets.parted(_inputs_for_inside(request))[1]


def _variables(secret: Given) -> dict[str, str]:
    """The secrets that are environment variables."""
    return {key: value for key, value in secret.get("env", {}).items() if isinstance(value, str)}
