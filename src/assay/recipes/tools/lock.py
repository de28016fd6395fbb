"""Lock files: record what a run used and produced, and check whether another run gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.ground import paths
from assay.ground.errors import ConfigError
from assay.ground.files import sha256, write_json
from assay.ground.parsed import json_value
from assay.recipes.contract.secrets import without
from assay.recipes.home import git
from assay.recipes.home.cache_key import recipe_digest
from assay.recipes.run.context import Answer, Context, Inputs
from assay.recipes.run.session import Access, RunSession
from assay.recipes.values import Values

FORMAT = 1
PARTS = frozenset(("format", "dialect", "inputs", "repositories", "recipes", "new_env", "files"))
MAKE_ONE = "run script TAGS --lock=FILE writes one"
# Inputs that only name output files of the command.
NOT_LOCKED = frozenset({"lock", "cmd", "out", "json", "j", "save_to_json"})


def write_lock(target: Path, context: Context, inputs: Inputs, session: RunSession, answer: Answer) -> None:
    """Writes a lock file: repositories with commits, recipes with digests and versions, inputs, exported variables,
    digests of files."""
    write_json(target, lock_of(context, inputs, session, answer))


def lock_of(context: Context, inputs: Inputs, session: RunSession, answer: Answer) -> Values:
    used = {step.repository for step in session.steps}
    return {
        "format": FORMAT,
        "dialect": context.dialect.name,
        "inputs": without({key: value for key, value in inputs.items() if key not in NOT_LOCKED}),
        "repositories": [
            _repository(repo.path, repo.alias) for repo in context.home.repositories() if repo.alias in used
        ],
        "recipes": [
            {
                "depth": step.depth,
                "recipe": step.alias,
                "tags": step.tags,
                "variations": step.variations,
                "version": step.version,
                "digest": recipe_digest(Path(step.folder)),
            }
            for step in session.steps
        ],
        "new_env": {
            key: _portable(value, context) for key, value in sorted(without(answer["new_env"]).items())
        },
        "files": _files(answer, context),
    }


def _repository(path: Path, alias: str) -> Values:
    origin = git.origin(path)
    return {
        "alias": alias,
        "url": origin.url if origin else "",
        "commit": origin.commit if origin else "",
        "changed": git.changed_files(path),
    }


def _portable(value: Any, context: Context) -> Any:
    """Replaces the home's path and the ids of cache entries, which differ between homes without meaning."""
    import re

    if isinstance(value, list):
        return [_portable(item, context) for item in value]
    if not isinstance(value, str):
        return value
    value = value.replace(str(context.home.root), "<home>")
    return re.sub(r"(<home>/(?:repos/)?local/cache/)[0-9a-f]{16}", r"\1<entry>", value)


def _files(answer: Answer, context: Context) -> dict[str, str]:
    """SHA-256 of each file below the home that an exported variable names."""
    found = {}
    for key, value in sorted(answer["new_env"].items()):
        if isinstance(value, str) and value.startswith(str(context.home.root)) and Path(value).is_file():
            found[key] = sha256(Path(value))
    return found


def reproduce(context: Context, file: Path, access: Access | None = None) -> list[str]:
    """Runs a lock file's request again without the cache. Returns one sentence per difference.

    Raises: ConfigError when the file cannot be read or is not a lock file of this format, and all errors of the run.
    """
    from assay.recipes.run.start import make_runner

    try:
        lock = json_value(paths.source(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"cannot read the lock file {file}: {words}", paths.near(file) or MAKE_ONE
        ) from error
    if not isinstance(lock, dict) or PARTS - lock.keys():
        raise ConfigError(f"{file} is no lock file", MAKE_ONE)
    if lock["format"] != FORMAT:
        raise ConfigError(f"{file} has format {lock['format']!r}, this program reads {FORMAT}", MAKE_ONE)
    inputs = {**lock["inputs"], "new": True, "quiet": "yes"}
    runner = make_runner(context, inputs, access, strict=inputs.get("compat") == "strict")
    answer = runner.run(dict(inputs))
    context.runner = None
    now = lock_of(context, lock["inputs"], runner.last, answer)
    return differences(lock, now)


def differences(then: Values, now: Values) -> list[str]:
    """The differences of two locks, a sentence each: repositories, recipes in order, values, files."""
    found = []
    repositories = {repo["alias"]: repo for repo in now["repositories"]}
    for repo in then["repositories"]:
        other = repositories.get(repo["alias"])
        if other is None:
            found.append(f"repository {repo['alias']} is not used now")
            continue
        found += [
            f"repository {repo['alias']}: {part} {repo[part]!r} then, {other[part]!r} now"
            for part in ("commit", "changed")
            if repo[part] != other[part]
        ]
    found += _recipe_differences(then["recipes"], now["recipes"])
    for part in ("new_env", "files"):
        for key in sorted({*then[part], *now[part]}):
            before, after = then[part].get(key, "absent"), now[part].get(key, "absent")
            if before != after:
                found.append(f"{part} {key}: {before!r} then, {after!r} now")
    return found


def _recipe_differences(then: list[Values], now: list[Values]) -> list[str]:
    found = []
    if [step["recipe"] for step in then] != [step["recipe"] for step in now]:
        found.append(
            f"recipes: {' '.join(step['recipe'] for step in then)} then, {' '.join(s['recipe'] for s in now)} now"
        )
        return found
    for before, after in zip(then, now):
        found += [
            f"recipe {before['recipe']}: {part} {before[part]!r} then, {after[part]!r} now"
            for part in ("tags", "variations", "version", "digest")
            if before[part] != after[part]
        ]
    return found
