"""The image of a recipe: its settings, and the Dockerfile with the runner, the repositories and the recipe's
dependencies."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground.files import write_text
from assay.recipes.contract import secrets
from assay.recipes.contract.git_login import apart
from assay.recipes.errors import RecipeFault
from assay.recipes.home.load import load_recipe
from assay.recipes.run.context import Answer, Context, Inputs
from assay.recipes.run.request import RecipeRequest, answer_request, scope_of
from assay.recipes.values import Given, Values

PACKAGES = {
    "ubuntu": "apt-get update -y && apt-get install -y python3 python3-pip python3-venv git sudo wget curl",
    "debian": "apt-get update -y && apt-get install -y python3 python3-pip python3-venv git sudo wget curl",
    "rhel": "dnf install -y python3 python3-pip git sudo wget",
    "arch": "pacman -Syu --noconfirm python python-pip git sudo wget",
}
IMAGES = {"rhel": "registry.access.redhat.com/ubi{}", "arch": "archlinux"}


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
    """The settings of a request's container: the recipe's, changed by the inputs."""
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
    inputs = inputs_inside(request)
    env = dict(inputs.get("env") or {})
    env = {k: v for k, v in env.items() if not points_home(context, v) and "_TMP_" not in k}
    inputs["env"] = {**env, **(extra or {})}
    inputs = secrets.without(inputs)
    name = request.inputs.get("artifact")
    words = [context.dialect.name, "run", "script", *([str(name)] if name and " " not in str(name) else [])]
    if not request.inputs.get("tags") and name and " " in str(name):
        inputs["tags"] = str(name).replace(" ", ",")
    return [*words, *flag_words(inputs)]


def inputs_inside(request: RecipeRequest) -> Values:
    """The inputs that the run inside gets: all but those of the host's command line and of docker."""
    skipped = {"action", "automation", "cmd", "out", "artifact", "artifacts", "docker", "lock", "user_python"}
    skipped.update(request.resolved.docker.get("skip_input_for_fake_run") or [])
    return {k: v for k, v in request.inputs.items() if k not in skipped and not k.startswith("docker_")}


def points_home(context: Context, value: Any) -> bool:
    """Whether a value is a path in the recipes' home of this host, which the container does not have."""
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
