"""Actions on recipes: run, test, prepare, docker, dockerfile, show, lint."""

from __future__ import annotations

from pathlib import Path

from assay.ground.count import counted
from assay.recipes.actions.dispatch import access_for, asks_for_help
from assay.recipes.contract.flags import is_on
from assay.recipes.contract.merge import merge
from assay.recipes.contract.names import split_repository
from assay.recipes.errors import RecipeFailed, RecipeFault, RecipeNotFound
from assay.recipes.home.index import Broken
from assay.recipes.run.context import Answer, Context, Inputs, tag_text, words
from assay.recipes.run.runner import Runner
from assay.recipes.run.start import make_runner
from assay.recipes.values import Values

# Inputs that select the recipe; all others are flags.
ASKS = frozenset(("action", "automation", "artifact", "artifacts", "tags", "cmd"))
# The flags that write or print something after a run.
_FOR_RECORDS = "print_deps print_versions dump_version_info print_readme save_env shell json j lock"
FOR_RECORDS = frozenset(_FOR_RECORDS.split())


def run(context: Context, inputs: Inputs) -> Answer:
    """Run a recipe and its dependencies."""
    inputs = _with_extra_flags(context, inputs)
    if asks_for_help(inputs):
        from assay.recipes.tools.explain import describe

        return describe(context, inputs)
    require_request(inputs)
    if inputs.get("lock") is True:
        raise RecipeFault("--lock names no file", 1, "--lock=FILE")
    if context.runner is not None:
        answer: Answer = context.runner.run(inputs)
        return answer
    strict = str(inputs.get("compat") or "") == "strict"
    runner = make_runner(context, inputs, access_for(context), strict=strict)
    if is_on(inputs, "repro", strict=strict):
        return _with_repro(context, runner, inputs, strict=strict)
    return _run_and_record(context, runner, inputs, strict=strict)


def _run_and_record(context: Context, runner: Runner, inputs: Inputs, *, strict: bool) -> Answer:
    free = _free_mb() if is_on(inputs, "space", strict=strict) else 0
    try:
        answer = runner.run(inputs)
    finally:
        context.runner = None
    if free and (used := int(free - _free_mb())) > 0:
        runner.last.info(f"  - used disk space: {used} MB")
    if FOR_RECORDS & inputs.keys():
        from assay.recipes.tools.records import write_records

        write_records(context, runner, inputs, answer, strict=strict)
    return answer


def _free_mb() -> float:
    import shutil

    return shutil.disk_usage("/").free / 1024**2


def _with_repro(context: Context, runner: Runner, inputs: Inputs, *, strict: bool) -> Answer:
    """Runs with `--repro`: also writes the files for a bug report, even if the native script has failed."""
    from assay.recipes.tools.repro import Repro

    repro = Repro(context.dialect, inputs, Path.cwd())
    repro.begin()
    try:
        answer = _run_and_record(context, runner, inputs, strict=strict)
    except RecipeFailed as failure:
        repro.end(failure.answer(), runner.last)
        raise
    repro.end(answer, runner.last)
    return answer


def require_request(inputs: Inputs) -> None:
    """Raises: RecipeFault (1) when neither tags nor a name are given. Such a request would match every recipe."""
    if not f"{tag_text(inputs)}{inputs.get('artifact') or ''}".strip(", "):
        raise RecipeFault(
            "no recipe was asked for", 1, "--tags=a,b, or a name; find script lists all of them"
        )


def _with_extra_flags(context: Context, inputs: Inputs) -> Inputs:
    """The inputs, with those of `$CM_SCRIPT_EXTRA_CMD` and of the user's `cfg default` added."""
    extra = context.host_env.get(context.dialect.key("SCRIPT_EXTRA_CMD"), "").strip()
    inputs = dict(inputs)
    if extra:
        import shlex

        from assay.recipes.contract.argv import parse

        words_ = parse(["run", "script", *shlex.split(extra)])
        merge(inputs, {k: v for k, v in words_.items() if k not in ("action", "automation", "cmd")})
    if context.runner is None:
        for artifact in context.index.find("cfg", "default"):
            folder = artifact.path
            config = context.home.descriptions.load(folder, context.dialect.description_files)
            merge(inputs, (config.get("config") or config).get("script") or {})
    return inputs


def prepare(context: Context, inputs: Inputs) -> Answer:
    """Run the dependencies of a recipe, but not the recipe itself."""
    return run(context, inputs | {"fake_run": True})


def test(context: Context, inputs: Inputs) -> Answer:
    """Run the recipe once for each input of its own `tests` list.

    Raises: RecipeFault (1) at the end, with all failed ones.
    """
    from assay.recipes.home.candidates import matching_artifacts
    from assay.recipes.home.load import load_recipe
    from assay.recipes.model.selection import Selection
    from assay.recipes.run.builtin import owned

    if owned(context.builtins, context.index, inputs):
        return run(context, inputs | {"quiet": "yes"})
    name = words(inputs)[0]
    tags = name.replace(" ", ",") if " " in name else tag_text(inputs)
    selection = Selection.parse(tags)
    flags = {key: value for key, value in inputs.items() if key not in ASKS}
    failed = []
    for artifact in matching_artifacts(context.index, selection, "" if " " in name else name):
        recipe = load_recipe(context.index, artifact)
        with recipe.errors_attributed():
            requests = test_requests(recipe.meta)
        for number, request in enumerate(requests, 1):
            request["tags"] = request.get("tags") or ",".join(recipe.tags)
            context.console.say(f"test {number} of {recipe.alias}: {request['tags']}")
            try:
                run(context, {"quiet": "yes", **flags, **request})
            except RecipeFault as fault:
                failed.append(
                    f"{recipe.alias} test {number}: " + "\n  ".join([fault.message, *fault.details()])
                )
    if failed:
        raise RecipeFault("\n".join(["tests failed:", *failed]))
    return {"return": 0}


def test_requests(meta: Values) -> list[Inputs]:
    """The inputs of a recipe's tests, one per list of variations; a single plain request when it has no tests."""
    requests = []
    for item in (meta.get("tests") or {}).get("run_inputs") or [{}]:
        plain = {k: v for k, v in item.items() if k not in ("variations_list", "docker", "docker_os", "freq")}
        for variations in item.get("variations_list") or [""]:
            names = variations if isinstance(variations, str) else ",".join(variations)
            tags = ",".join(
                [*(meta.get("tags") or []), *(f"_{n.lstrip('_')}" for n in names.split(",") if n)]
            )
            requests.append({**plain, "tags": tags})
    return requests


def docker(context: Context, inputs: Inputs) -> Answer:
    """Build an image for a recipe and run it there; a recipe of our own is asked to see to that itself."""
    from assay.recipes.run.builtin import owned
    from assay.recipes.tools.container import run_in_container

    require_request(inputs)
    if owned(context.builtins, context.index, inputs, context.console.note):
        return run(context, inputs | {"docker": "yes"})
    return run_in_container(context, inputs, access_for(context))


def dockerfile(context: Context, inputs: Inputs) -> Answer:
    """Write the Dockerfile for a recipe. Raises: RecipeFault (1) for one of our own, which has none."""
    from assay.recipes.run.builtin import owned
    from assay.recipes.tools.container_image import write_dockerfile

    require_request(inputs)
    if owned(context.builtins, context.index, inputs, context.console.note):
        raise RecipeFault(
            "a recipe of Assay's own has no Dockerfile: its image is made when it runs", 1, "docker script"
        )
    return write_dockerfile(context, inputs)


def show(context: Context, inputs: Inputs) -> Answer:
    """Print folder, tags, variations and inputs of the recipes that are named."""
    return doc(context, inputs)


def doc(context: Context, inputs: Inputs) -> Answer:
    """Print the tags, variations and inputs of a recipe."""
    from assay.recipes.tools.explain import describe

    return describe(context, inputs)


def lint(context: Context, inputs: Inputs) -> Answer:
    """Print what is wrong with the recipes that are named. Nothing is written; MLC sorts the keys of the file.

    Raises: RecipeNotFound (16) when none is named, RecipeFault (1) for errors, after all of them are printed.
    """
    from assay.recipes.actions.common import matching
    from assay.recipes.tools import lint as tool

    context.index.artifacts("script")  # fills `broken`
    unread = [tool.unreadable(broken) for broken in context.index.broken if _names_folder(inputs, broken)]
    try:
        named = {artifact.path: artifact.repository for artifact in matching(context, inputs)}
    except RecipeNotFound:
        if not unread:
            raise
        named = {}
    if not named and not unread:
        raise RecipeNotFound("artifact(s) not found")
    repositories = {repository.path: repository for repository in named.values()}
    problems = [p for one in repositories.values() for p in tool.lint(context.index, one)]
    problems = [problem for problem in problems if Path(problem.path) in named] + unread
    for problem in problems:
        context.console.say(str(problem))
    if errors := sum(problem.severity == tool.ERROR for problem in problems):
        raise RecipeFault(f"{counted(errors, 'error')} in recipes")
    return {"return": 0}


def _names_folder(inputs: Inputs, broken: Broken) -> bool:
    """Whether a command line names a recipe that cannot be read: by its folder or all of them. Its tags are unknown."""
    if broken.automation != "script" or tag_text(inputs):
        return False
    folder = Path(broken.where).name
    asked = [split_repository(word) for word in words(inputs) if " " not in word]
    return any(
        name.matches(folder, "") and (not repository or broken.repository.answers_to(repository))
        for repository, name in asked
    )
