"""What every action gets: the home with its index, the console, the process environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assay.recipes.contract.dialect import Dialect
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import Index
from assay.recipes.home.repositories import Home
from assay.recipes.model.artifact import Artifact
from assay.recipes.run.console import Console, Quiet
from assay.recipes.values import Values

if TYPE_CHECKING:
    from assay.recipes.run.builtin import Builtin

Inputs = Values
Answer = Values


class Context:
    """One command, or one request of a hook. With a Quiet console it prints nothing."""

    def __init__(
        self,
        home: Home,
        console: Console,
        host_env: Mapping[str, str],
        builtins: list[Builtin] | None = None,
    ) -> None:
        self.home = home
        self.index = Index(home)
        self.console = console
        self.host_env = dict(host_env)
        self.builtins = builtins or []
        self.runner: Any = None  # the run of the hook that asked, if any

    @property
    def dialect(self) -> Dialect:
        return self.home.dialect

    def quietly(self) -> Context:
        """The same context for a hook, which gets results and prints nothing."""
        other = Context.__new__(Context)
        other.__dict__.update(self.__dict__)
        other.console = Quiet()
        return other


class Found:
    """An artifact with the attributes that callers of `search` expect: `path`, `meta`, `repo_path`, `repo_meta`."""

    def __init__(self, context: Context, artifact: Artifact) -> None:
        self.artifact = artifact
        self.path = str(artifact.path)
        self.repo_path = str(artifact.repository.path)
        self.repo_meta = artifact.repository.description
        self._context = context

    def as_json(self) -> Values:
        """The artifact for `--out=json`: its place, names, tags, and the version if its description has one."""
        found = {"path": self.path, "repo_path": self.repo_path, "tags": list(self.artifact.tags)}
        version = self.meta.get("version")
        return {
            "alias": self.artifact.alias,
            "uid": self.artifact.uid,
            **found,
            **({"version": str(version)} if version else {}),
        }

    @property
    def meta(self) -> Values:
        home = self._context.home
        return home.descriptions.load(self.artifact.path, home.dialect.description_files)


def yes(context: Context, inputs: Inputs, question: str) -> bool:
    """Whether the user agreed, by `-f`, `--force` or an answer. A hook's request without `-f` is refused unasked.

    Raises: RecipeFault (1) when no user can answer; CM and MLC end with 1 there, by an EOFError of Python.
    """
    if inputs.get("f") or inputs.get("force"):
        return True
    if type(context.console) is Quiet:  # a hook has no user
        return False
    answer = context.console.ask(f"{question} (y/N): ")
    if answer is None:
        raise RecipeFault("nobody is here to answer: it was not removed", 1, "-f removes without a question")
    return answer.strip().lower() in ("y", "yes")


def words(inputs: Inputs) -> list[str]:
    """The artifact names of a command line. The first is empty when the command has none."""
    return [str(inputs.get("artifact") or ""), *[str(word) for word in inputs.get("artifacts") or []]]


def tag_text(inputs: Inputs, key: str = "tags") -> str:
    """The tags as one text with commas. The input may be a text or a list."""
    tags = inputs.get(key) or ""
    return ",".join(map(str, tags)) if isinstance(tags, list) else str(tags)
