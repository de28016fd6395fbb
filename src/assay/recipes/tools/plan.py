"""The steps that a request would take, before any of them is taken.

What a hook or a native script will set cannot be known; a condition that reads such a variable is a `maybe`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from assay.recipes.contract.merge import copied, merge
from assay.recipes.contract.secrets import hidden
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import Index
from assay.recipes.home.store import Store
from assay.recipes.model.conditions import applies, keys_read
from assay.recipes.model.dependencies import Entry, Inheritance, local_keys
from assay.recipes.model.env import Env, exported
from assay.recipes.model.recipe import PHASES, Recipe
from assay.recipes.model.resolve import Scope, apply_default_version
from assay.recipes.run.choosing import Chooser
from assay.recipes.run.console import Quiet
from assay.recipes.run.dependency_runner import merge_env
from assay.recipes.run.request import Request, answer_request, scope_of
from assay.recipes.typing_stub import Any

_ASSIGNED = re.compile(r"""env\[\s*f?['"]([\w+<>{}*-]+)['"]\s*\]\s*=[^=]""")
_ADDRESS = re.compile(r"^(https?|ftp|s3|git)://|^git@")


@dataclass
class Step:
    """One recipe of the plan. `condition` is yes, no or maybe; `because` names the variables that decide."""

    depth: int
    phase: str
    recipe: str
    tags: str
    variations: list[str] = field(default_factory=list)
    condition: str = "yes"
    because: str = ""
    cached: str = ""  # folder of the entry that would be used
    caches: bool = False
    script: str = ""
    downloads: list[str] = field(default_factory=list)
    problem: str = ""
    repeated: bool = False  # what is below it stands above

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def plan(
    index: Index, inputs: dict[str, Any], host_env: Mapping[str, str], recipe: Recipe | None = None
) -> list[Step]:
    """The steps of a request in order, those that will not be taken included. `recipe` answers it, if one is given.

    Raises: RecipeFault when the request itself cannot be answered; a dependency that cannot is a step with a
    `problem`.
    """
    planner = _Planner(index, host_env)
    planner.visit(inputs, scope_of(inputs), 0, "request", "yes", "", recipe)
    return planner.steps


class _Planner:
    def __init__(self, index: Index, host_env: Mapping[str, str]) -> None:
        self.index = index
        self.store = Store(index)
        self.chooser = Chooser(index, Quiet())
        self.host_env = host_env
        self.steps: list[Step] = []
        self.above: list[tuple[str, ...]] = []  # the recipes being planned, outermost first
        self.seen: set[tuple[str, ...]] = set()
        # How many of the steps above are a maybe: below one, a known tree is not shown again.
        self.uncertain = 0
        self.unknown: list[str] = []  # patterns of variables that something before may have set

    def visit(
        self,
        inputs: dict[str, Any],
        scope: Scope,
        depth: int,
        phase: str,
        condition: str,
        because: str,
        recipe: Recipe | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Plan one recipe and what is below it; gives the env and state it is known to export."""
        request = answer_request(self.index, inputs, scope, self.host_env, self.chooser, recipe)
        recipe, resolved = request.resolved.recipe, request.resolved
        step = Step(
            depth,
            phase,
            recipe.alias,
            ",".join(request.selection.asked_tags),
            list(resolved.choice.applied),
            condition,
            because,
            caches=request.may_cache(),
            script=_native_script(recipe),
        )
        self.steps.append(step)
        identity = (recipe.uid, *resolved.choice.applied)
        if identity in self.above:
            step.problem = "" if self.uncertain or condition == "maybe" else "it needs itself"
            return {}, {}
        if (self.uncertain or condition == "maybe") and identity in self.seen:
            step.repeated = True
            return {}, {}
        self.above.append(identity)
        self.seen.add(identity)
        self.uncertain += condition == "maybe"
        try:
            with recipe.errors_attributed():
                return self._below(request, step, depth)
        finally:
            self.uncertain -= condition == "maybe"
            self.above.pop()

    def _below(self, request: Request, step: Step, depth: int) -> tuple[dict[str, Any], dict[str, Any]]:
        recipe, resolved = request.resolved.recipe, request.resolved
        if request.may_cache():
            found = request.look_up(self.store).entries
            if found:
                step.cached = str(found[0].path)
                kept = self.store.state(found[0])
                self._phases(request, depth, dynamic_only=True)
                return kept["new_env"], kept.get("new_state") or {}
        if not resolved.versions.version:
            apply_default_version(resolved, request.inputs)
        self._phases(request, depth, dynamic_only=False)
        step.downloads = _downloads(resolved.env, recipe)
        self.unknown += list(resolved.new_env_keys)
        return exported(resolved.env, resolved.new_env_keys), exported(
            resolved.state, resolved.new_state_keys
        )

    def _phases(self, request: Request, depth: int, *, dynamic_only: bool) -> None:
        before = len(self.unknown)
        for phase in PHASES:
            if phase == "prehook_deps":
                self.unknown += _assigned(request.resolved.recipe.folder)
            self._entries(request, phase, depth, dynamic_only)
        # What hooks set without exporting it is gone after the recipe; what its dependencies export stays.
        mine = set(_assigned(request.resolved.recipe.folder))
        self.unknown[before:] = [pattern for pattern in self.unknown[before:] if pattern not in mine]

    def _entries(self, request: Request, phase: str, depth: int, dynamic_only: bool) -> None:
        resolved, env = request.resolved, request.resolved.env
        prefix = resolved.recipe.dialect.prefix
        hidden = local_keys(resolved.recipe.dialect) + list(resolved.recipe.meta.get("local_env_keys") or [])
        hand_down = Inheritance(hidden, resolved.choice, prefix)
        for entry in resolved.entries[phase]:
            if not entry.get("tags") or (dynamic_only and not entry.get("dynamic")):
                continue
            condition, because = self._condition(entry, env, request.flags.fake_run)
            if condition == "no":
                self.steps.append(
                    Step(depth + 1, phase, "", str(entry["tags"]), condition="no", because=because)
                )
                continue
            entry = copied(entry)
            child = hand_down.child_env(entry, env)
            new_env, new_state = self._dependency(request, entry, child, depth, phase, condition, because)
            if condition == "yes":
                merge_env(env, new_env, str(entry["tags"]))
                merge(resolved.state, copied(new_state))
            env.refresh(hand_down.remembered)
            resolved.fill()

    def _dependency(
        self, request: Request, entry: Entry, child: Env, depth: int, phase: str, condition: str, because: str
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        resolved = request.resolved
        inputs = {
            key: value for key, value in entry.items() if key not in ("env", "state", "const", "const_state")
        }
        with child.written_by("dependency entry"):
            merge(child, entry.get("env") or {})
        scope = Scope(
            child,
            copied(resolved.state),
            dict(resolved.const),
            dict(resolved.const_state),
            resolved.adr,
        )
        inputs.setdefault("add_deps_recursive", resolved.adr)
        place = len(self.steps)
        try:
            return self.visit(inputs, scope, depth + 1, phase, condition, because)
        except RecipeFault as fault:
            step = Step(depth + 1, phase, "", str(entry["tags"]), condition=condition, because=because)
            step.problem = fault.message.splitlines()[0]
            self.steps.insert(place, step)
            return {}, {}

    def _condition(self, entry: Entry, env: Env, fake_run: bool) -> tuple[str, str]:
        read = sorted(keys_read(entry))
        because = ", ".join(f"{key}={hidden(env.get(key, '(unset)'), key)}" for key in read)
        open_keys = [
            key for key in read if any(fnmatch.fnmatchcase(key, pattern) for pattern in self.unknown)
        ]
        open_keys = [key for key in open_keys if key not in env or self._may_change(key, env)]
        if open_keys:
            return "maybe", f"{', '.join(open_keys)} is set on the way"
        return ("yes" if applies(entry, env, fake_run) else "no"), because

    def _may_change(self, key: str, env: Env) -> bool:
        return env.origin.get(key) != "command line" and any(
            fnmatch.fnmatchcase(key, pattern) for pattern in self.unknown
        )


def _native_script(recipe: Recipe) -> str:
    scripts = sorted(path.name for path in recipe.folder.glob("run*.sh"))
    return scripts[0] if scripts else ""


def _assigned(folder: Path) -> list[str]:
    """Variables that a recipe's hooks assign, as far as the text of customize.py shows."""
    path = folder / "customize.py"
    if not path.is_file():
        return []
    found = _ASSIGNED.findall(path.read_text(encoding="utf-8", errors="replace"))
    return list(dict.fromkeys(re.sub(r"\{.*?\}", "*", key) for key in found))


def _downloads(env: Env, recipe: Recipe) -> list[str]:
    """Addresses that this recipe itself sets, by `env`, a variation or a version."""
    values = [value for key, value in env.items() if _own(env.origin.get(key, ""), recipe)]
    return sorted({hidden(value) for value in values if isinstance(value, str) and _ADDRESS.match(value)})


def _own(origin: str, recipe: Recipe) -> bool:
    return origin.startswith(("variation ", "version ")) or origin.endswith(f"env of {recipe.alias}")


def as_text(steps: list[Step]) -> str:
    """The tree, one line per step: `+` runs, `=` from the cache, `-` not, `?` not yet known."""
    lines = []
    for step in steps:
        sign = {"no": "-", "maybe": "?"}.get(step.condition, "=" if step.cached else "+")
        variations = " ".join(f"_{name}" for name in step.variations)
        words = [f"{'  ' * step.depth}{sign} {step.recipe or step.tags}", variations]
        if step.phase not in ("deps", "request"):
            words.append(f"({step.phase})")
        if step.cached:
            words.append(f"cached in {Path(step.cached).name}")
        if step.because and step.condition != "yes":
            words.append(f"[{step.because}]")
        if step.repeated:
            words.append("(as above)")
        if step.problem:
            words.append(f"PROBLEM: {step.problem}")
        lines.append(" ".join(word for word in words if word))
        lines += [f"{'  ' * step.depth}    fetches {address}" for address in step.downloads]
    return "\n".join(lines)
