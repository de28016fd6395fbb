"""Clones, updates and checks out recipe repositories with git. Commands are argument lists; no shell is used."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.ground.redact import addresses
from assay.recipes.contract.git_login import Login, apart
from assay.recipes.errors import RecipeFault

REMOTE = ("clone", "pull", "fetch")
PATHS_AT_ONCE = 500  # paths in one git command
_PR_SET_PDEATHSIG = 1  # prctl(2): the signal that a process gets when its parent ends
TRUST_NOTICE = "the recipes of {} are code of its authors, which runs with your rights when you run a recipe"


class Revision(NamedTuple):
    """What to check out after a pull: a branch or a commit, not both. `new_branch` is made from either."""

    branch: str = ""
    checkout: str = ""
    new_branch: str = ""
    depth: str = ""


def run_git(arguments: Sequence[str], folder: Path | None = None, login: Login = Login()) -> str:  # noqa: B008
    """Runs git and returns what it printed.

    Raises: RecipeFault (1) with the end of git's own message, without passwords.
    """
    if shutil.which("git") is None:
        raise RecipeFault("git is not installed", 1, "install git, or register a folder: import repo")
    place = ["-C", str(folder)] if folder else []
    command = ["git", "--literal-pathspecs", *login.options(), *place, *arguments]
    done = subprocess.run(
        command,
        env=login.environment() if login.is_given else None,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
        preexec_fn=_tie(),
    )
    if done.returncode:
        words = " ".join((done.stderr.strip() or done.stdout.strip()).split()) or f"exit {done.returncode}"
        reach = "is the address right, and can this machine reach it?" if arguments[0] in REMOTE else ""
        raise RecipeFault(f"git {arguments[0]} failed: {addresses(words[-600:])}", hint=reach)
    return done.stdout.removesuffix("\n")


def _tie() -> Callable[[], None]:
    """A function for git's process to call before git starts. It ends git when our process is killed. Linux only."""
    import ctypes

    set_option = getattr(ctypes.CDLL(None), "prctl", None)

    def tied() -> None:
        if set_option is not None:
            set_option(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return tied


def address(name: str, url: str, default_owner: str) -> tuple[str, str]:
    """(folder name, URL without a login) for a user's `owner@name`, bare name or URL.

    Raises: RecipeFault (1) for a name that leads out of the folder of repositories or that git would read as an
    option.
    """
    if url and not name:
        name = _name_of(url)
    elif not url and (name.startswith(("https://", "http://", "git@", "ssh://", "file://")) or "/" in name):
        url, name = name, _name_of(name)
    if not url:
        if "@" not in name:
            name = f"{default_owner}@{name}"
        owner, _, project = name.partition("@")
        url = f"https://github.com/{owner}/{project}"
    if not name or name.startswith((".", "-")) or "/" in name or url.startswith("-"):
        raise RecipeFault(
            f"{name!r} from {addresses(url)!r} is not a valid name for a repository",
            1,
            "use OWNER@NAME or a URL",
        )
    return name, url


def _name_of(url: str) -> str:
    """`https://host/owner/name.git` -> `owner@name`."""
    parts = [part for part in url.removesuffix(".git").replace(":", "/").split("/") if part]
    return "@".join(parts[-2:])


def check_words(revision: Revision) -> None:
    """Raises: RecipeFault (1) for a part of the revision that git would read as an option."""
    for word in revision:
        if word.startswith("-"):
            raise RecipeFault(f"{word!r} is no branch, commit or depth")


def clone(url: str, target: Path, revision: Revision, login: Login) -> None:
    """Clones to a new folder and checks out the revision."""
    depth = ["--depth", revision.depth] if revision.depth else []
    run_git(["clone", "--quiet", *depth, "--", url, str(target)], login=login)
    check_out(target, revision, login)


def update(folder: Path, revision: Revision, login: Login) -> None:
    """Updates a clone. A clone that stands at a commit, not at a branch, is only fetched."""
    on_branch = run_git(["rev-parse", "--abbrev-ref", "HEAD"], folder) != "HEAD"
    words = ["pull", "--ff-only"] if on_branch and not revision.checkout else ["fetch", "--all"]
    run_git(words, folder, login)
    check_out(folder, revision, login)


def reset_index(folder: Path) -> None:
    """Resets the index to the clone's commit. No file changes."""
    run_git(["reset", "--quiet"], folder)


def restore(folder: Path, paths: Sequence[str]) -> None:
    """Restores these files from the index. Skips files that the index does not know."""
    known = set(run_git(["ls-files", "-z"], folder).split("\0"))
    for start in range(0, len(paths), PATHS_AT_ONCE):
        if chosen := [path for path in paths[start : start + PATHS_AT_ONCE] if path in known]:
            run_git(["checkout", "--quiet", "--", *chosen], folder)


def check_out(folder: Path, revision: Revision, login: Login = Login()) -> None:  # noqa: B008
    """Checks out a branch, a commit, or a new branch made at a commit."""
    if revision.branch:
        run_git(["fetch", "--quiet", "origin", revision.branch], folder, login)
        run_git(["checkout", "--quiet", revision.branch, "--"], folder)
    if revision.checkout:
        new = ["-b", revision.new_branch] if revision.new_branch else []
        run_git(["checkout", "--quiet", *new, revision.checkout, "--"], folder)
    elif revision.new_branch:
        run_git(["checkout", "--quiet", "-b", revision.new_branch, "--"], folder)


class Origin(NamedTuple):
    """The origin of a clone, without user and password, with its current branch and commit."""

    url: str
    branch: str
    commit: str


def origin(folder: Path) -> Origin | None:
    """The origin of a clone; None for a folder without `.git`."""
    if not (folder / ".git").exists():
        return None
    try:
        url = run_git(["config", "--get", "remote.origin.url"], folder)
    except RecipeFault:
        url = ""
    branch = run_git(["rev-parse", "--abbrev-ref", "HEAD"], folder)
    return Origin(apart(url)[0], branch, run_git(["rev-parse", "HEAD"], folder))


def changed_files(folder: Path) -> list[str]:
    """Paths that differ from the commit; empty for a folder without `.git`."""
    if not (folder / ".git").exists():
        return []
    status = run_git(["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"], folder)
    return [entry[3:] for entry in status.split("\0") if entry]
