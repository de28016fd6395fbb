"""Actions on repositories: pull, checkout, rm, find, show, add, import, where, reindex, pack, unpack."""

from __future__ import annotations

import zipfile
from pathlib import Path

from assay.ground.count import counted
from assay.ground.printable import one_line
from assay.ground.redact import addresses
from assay.recipes.contract.dialect import Dialect
from assay.recipes.contract.git_login import Login, apart
from assay.recipes.contract.names import new_uid
from assay.recipes.errors import EXISTS, GENERAL, RecipeFault
from assay.recipes.home import clones, git
from assay.recipes.home.descriptions import quoted
from assay.recipes.model.artifact import Repository
from assay.recipes.run.context import Answer, Context, Inputs, words, yes


def search(context: Context, inputs: Inputs) -> Answer:
    """Print `alias,uid = path` of each repository."""
    found = [repo for word in words(inputs) for repo in context.home.find(word)]
    for repo in found:
        context.console.say(f"{repo.alias},{repo.uid} = {repo.path}")
    return {"return": 0, "list": found}


def where(context: Context, inputs: Inputs) -> Answer:
    """Print the folder of each repository."""
    found = context.home.find(words(inputs)[0])
    for repo in found:
        context.console.say(str(repo.path))
    return {"return": 0, "list": found}


def show(context: Context, inputs: Inputs) -> Answer:
    """Print name, uid and git origin of each repository. Return them as `list`."""
    listed = []
    for repo in context.home.find(words(inputs)[0]):
        origin = git.origin(repo.path)
        at = origin and {**origin._asdict(), "url": addresses(origin.url)}
        listed.append({**repo.as_json(), "git": at})
        context.console.say("=" * 55)
        context.console.say(f"Path:               {repo.path}")
        context.console.say(f"  Alias:            {repo.path.name}")
        if repo.alias != repo.path.name:
            context.console.say(f"  Original alias:   {repo.alias}")
        context.console.say(f"  UID:              {repo.uid}")
        if repo.description.get("desc"):
            context.console.say(f"Description:        {repo.description['desc']}")
        context.console.say(f"Git:                {at is not None}")
        if at:
            context.console.say(f"  URL:              {at['url']}")
            context.console.say(f"  Branch:           {at['branch']}")
            context.console.say(f"  Checkout:         {at['commit']}")
    return {"return": 0, "list": listed}


def pull(context: Context, inputs: Inputs) -> Answer:
    """Clone a repository, or update it. Without a name: update all that are git clones.

    Raises: RecipeFault (1) when git fails, or another repository of the same name or uid is registered.
    """
    if not (words(inputs)[0] or inputs.get("url")):
        return _pull_all(context)
    folder, url, login = _address(context, inputs)
    revision = git.Revision(
        *(str(inputs.get(key) or "") for key in ("branch", "checkout", "new_branch", "depth"))
    )
    if inputs.get("tag"):
        revision = revision._replace(checkout=str(inputs["tag"]))
    if folder == "mlcommons@ck" and not (revision.branch or revision.checkout or inputs.get("dir")):
        folder, url = "mlcommons@cm4mlops", "https://github.com/mlcommons/cm4mlops"
    target = context.home.folder / str(inputs.get("dir") or folder)
    if target.parent != context.home.folder:
        raise RecipeFault(f"{target} is not directly below {context.home.folder}", GENERAL)
    with context.home.repository_lock(target.name):
        context.console.say(
            f"Pulling {target}" if target.exists() else f"Pulling {addresses(url)} into {target}"
        )
        fresh = clones.obtain(context.home, target, url, revision, login)
        try:
            _describe(context, target, inputs)
            context.home.register(target)
        except RecipeFault:
            if fresh:
                clones.remove(target)
            raise
    repo = context.home.read_repository(target)
    if repo and fresh:
        context.console.note("assay: " + git.TRUST_NOTICE.format(target.name))
        _note_dependencies(context, repo)
    context.console.say(f"Indexed {counted(context.index.rebuild(), 'recipe')}")
    return {"return": 0, "path": str(target)}


def _address(context: Context, inputs: Inputs) -> tuple[str, str, Login]:
    """(folder name, URL, login) for the repository that the name, `--url` and `--pat` describe."""
    name, in_name = apart(words(inputs)[0])
    url, in_url = apart(str(inputs.get("url") or ""))
    folder, url = git.address(name, url, context.dialect.default_owner)
    _, by_token = apart(url, str(inputs.get("pat") or ""))
    return folder, url, next((login for login in (by_token, in_url, in_name) if login.is_given), Login())


def _pull_all(context: Context) -> Answer:
    for repo in context.home.pulled():
        if (repo.path / ".git").exists():
            context.console.say(f"Pulling {repo.path}")
            with context.home.repository_lock(repo.path.name):
                if repo.path.exists():  # it may have been removed while we waited for the lock
                    clones.obtain(context.home, repo.path, "", git.Revision())
    context.console.say(f"Indexed {counted(context.index.rebuild(), 'recipe')}")
    return {"return": 0}


def _describe(context: Context, folder: Path, inputs: Inputs) -> None:
    """Writes a description for a clone that has none."""
    if any((folder / name).exists() for name in context.dialect.repository_files):
        return
    write_description(context.dialect, folder, folder.name, inputs)


def write_description(dialect: Dialect, folder: Path, alias: str, inputs: Inputs) -> None:
    """Writes a repository description with a new uid."""
    from assay.ground.files import write_text

    lines = [
        f"alias: {quoted(alias)}",
        f"uid: {new_uid()}",
        "git: true" if (folder / ".git").exists() else "git: false",
    ]
    lines += [f"{key}: {quoted(str(inputs[key]))}" for key in ("desc", "prefix") if inputs.get(key)]
    write_text(folder / dialect.repository_files[0], "\n".join(lines) + "\n")


def _note_dependencies(context: Context, repo: Repository) -> None:
    """Pulls or reports the other repositories that a repository needs.

    Raises: RecipeFault (1) when a repository that it conflicts with is registered.
    """
    registered = {name for other in context.home.repositories() for name in (other.alias, other.uid)}
    for dependency in repo.description.get("deps") or []:
        names = {dependency.get("alias"), dependency.get("uid")} - {None}
        label = dependency.get("alias") or dependency.get("url") or dependency.get("uid")
        if dependency.get("conflict"):
            if names & registered:
                context.home.unregister(repo.path)
                raise RecipeFault(f"{repo.alias} does not go with {label}, which is registered", GENERAL)
        elif dependency.get("url"):
            pull(context, {"artifact": dependency["url"], **_revision_of(dependency)})
        elif not names & registered:
            context.console.note(f"assay: {repo.alias} needs {label}: pull repo {label}")


def _revision_of(dependency: dict[str, str]) -> Inputs:
    return {key: dependency[key] for key in ("branch", "checkout") if dependency.get(key)}


def checkout(context: Context, inputs: Inputs) -> Answer:
    """Check out a branch or commit of a repository."""
    repo = context.home.one(words(inputs)[0])
    revision = git.Revision(
        branch=str(inputs.get("branch") or ""), checkout=str(inputs.get("checkout") or "")
    )
    if not (revision.branch or revision.checkout):
        raise RecipeFault("nothing to check out", GENERAL, "--branch=NAME or --checkout=COMMIT")
    with context.home.repository_lock(repo.path.name):
        clones.check_out(context.home, repo.path, revision)
    context.console.say(f"Indexed {counted(context.index.rebuild(), 'recipe')}")
    return {"return": 0, "path": str(repo.path)}


def delete(context: Context, inputs: Inputs) -> Answer:
    """Unregister a repository. With `--all` (and always for MLC) also delete its files.

    Raises: RecipeFault (1) when no repository has the name.
    """
    names = [word for word in words(inputs) if word]
    if not names:
        raise RecipeFault("the name of the repository is missing", GENERAL, "rm repo OWNER@NAME")
    for name in names:
        repo = _to_remove(context, name)
        context.console.say(f"Local path to a {context.dialect.name.upper()} repository: {repo.path}")
        if not yes(context, inputs, "  Are you sure you want to delete this repository"):
            continue
        with context.home.repository_lock(repo.path.name):
            context.home.unregister(repo.path)
            if deletes_files := bool(inputs.get("all") or context.dialect.removal_deletes_files):
                clones.remove(repo.path)
        if deletes_files:
            context.console.say("  Deleted!")
        else:
            context.console.say("  Unregistered; its files stay. Remove them with --all")
        context.index.forget()
    return {"return": 0}


def _to_remove(context: Context, name: str) -> Repository:
    found = [repo for repo in context.home.find(name) if repo.path != context.home.local]
    if len(found) != 1:
        known = ", ".join(repo.path.name for repo in context.home.pulled())
        raise RecipeFault("Repository not found", GENERAL, f"registered here: {known or 'none'}")
    return found[0]


def add(context: Context, inputs: Inputs) -> Answer:
    """Make and register an empty repository below the home, at `--path`, or in the current folder (`--here`).

    Raises: RecipeFault (1) without a name, or for a name that leads out of the home.
    """
    name = words(inputs)[0]
    if not name:
        raise RecipeFault("the name of the repository is missing", GENERAL)
    home = context.home.folder
    folder = Path.cwd() if inputs.get("here") else Path(str(inputs.get("path") or home / name)).absolute()
    leaves = ".." in Path(name).parts and not (inputs.get("here") or inputs.get("path"))
    if leaves or not name.isprintable():
        raise RecipeFault(
            f"{one_line(name)} is not a valid name for a repository", GENERAL, "add repo NAME --path=DIR"
        )
    with context.home.repository_lock(folder.name):
        folder.mkdir(parents=True, exist_ok=True)
        if context.home.read_repository(folder) is None:
            write_description(context.dialect, folder, name, inputs)
        context.home.register(folder)
    context.console.say(f"{name} is registered at {folder}")
    return {"return": 0, "path": str(folder)}


init = add


def import_(context: Context, inputs: Inputs) -> Answer:
    """Register the current folder, or `--path`, under the given name, else under the folder's name."""
    folder = Path(str(inputs.get("path") or Path.cwd())).absolute()
    return add(context, inputs | {"artifact": words(inputs)[0] or folder.name, "path": str(folder)})


def detect(context: Context, inputs: Inputs) -> Answer:
    """Print the repository that the current folder is in."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        repo = context.home.read_repository(folder)
        if repo:
            context.console.say(f"{repo.alias},{repo.uid} = {repo.path}")
            return {"return": 0, "found": True, "path": str(repo.path)}
    return {"return": 0, "found": False}


def reindex(context: Context, inputs: Inputs) -> Answer:
    """Read every recipe again."""
    count = context.index.rebuild()
    for broken in context.index.broken:
        context.console.note(f"assay: left out: {broken.fault.message}")
    context.console.say(f"Indexed {counted(count, 'recipe')}")
    return {"return": 0}


def update(context: Context, inputs: Inputs) -> Answer:
    """The same as pull."""
    return pull(context, inputs)


def pack(context: Context, inputs: Inputs) -> Answer:
    """Put the files of a repository into cm.zip in the current folder, without its git history."""
    repo = context.home.one(words(inputs)[0])
    target = Path("cm.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(repo.path.rglob("*")):
            relative = path.relative_to(repo.path)
            if path.is_file() and ".git" not in relative.parts:
                archive.write(path, str(relative))
    context.console.say(f"Packed {repo.path} into {target.absolute()}")
    return {"return": 0, "path": str(target.absolute())}


def unpack(context: Context, inputs: Inputs) -> Answer:
    """Unpack cm.zip, or the named archive, as a new repository, and register it. The second word is its name."""
    from assay.recipes.contract.helpers import unzip_file

    archive, *rest = words(inputs)
    source = Path(archive or "cm.zip")
    target = context.home.folder / (rest[0] if rest else source.stem)

    def fill(folder: Path) -> None:
        answer = unzip_file({"filename": str(source), "path": str(folder)})
        if answer["return"]:
            raise RecipeFault(str(answer["error"]))

    with context.home.repository_lock(target.name):
        if target.exists():
            raise RecipeFault(f"{target} exists", EXISTS)
        clones.make(target, fill)
        try:
            context.home.register(target)
        except RecipeFault:
            clones.remove(target)
            raise
    context.index.rebuild()
    return {"return": 0, "path": str(target)}
