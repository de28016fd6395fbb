"""The steps that a request would take, without taking them.

The values that a hook or native script will set are unknown. A condition that reads such a variable is a `maybe`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from assay.recipes.contract.secrets import hidden
from assay.recipes.errors import RecipeFault
from assay.recipes.home.index import Index
from assay.recipes.home.store import Store
from assay.recipes.model.conditions import applies, keys_read
from assay.recipes.model.dependencies import Entry
from assay.recipes.model.env import Env, exported
from assay.recipes.model.recipe import Recipe
from assay.recipes.model.resolve import apply_default_version
from assay.recipes.run.call import RecipeCall, RecipeOutcome
from assay.recipes.run.choosing import Chooser
from assay.recipes.run.console import Quiet
from assay.recipes.run.request import Answering, RecipeRequest, name_and_tags, scope_of
from assay.recipes.run.walk import Walk
from assay.recipes.values import Values

_ASSIGNED = re.compile(r"""env\[\s*f?['"]([\w+<>{}*-]+)['"]\s*\]\s*=[^=]""")
NOTHING = RecipeOutcome({}, {}, {}, {})
_ADDRESS = re.compile(r"^(https?|ftp|s3|git)://|^git@")


@dataclass
class PlannedStep:
    """One recipe of the plan. `condition` is yes, no or maybe; `because` names the variables that decide it."""

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
    repeated: bool = False  # its dependencies are shown at an earlier step

    def as_json(self) -> Values:
        return asdict(self)


def plan(
    index: Index, inputs: Values, host_env: Mapping[str, str], recipe: Recipe | None = None
) -> list[PlannedStep]:
    """The steps of a request in order, including those that will not run. `recipe` is the recipe to plan; None = choose
    one.

    Raises: RecipeFault when the request itself cannot be resolved. A dependency that cannot becomes a step with a
    `problem`.
    """
    planner = _Planner(index, host_env)
    scope, inputs = scope_of(inputs), dict(inputs)
    name_and_tags(inputs, index.home.dialect)
    planner.visit(RecipeCall(inputs, scope), "request", "yes", "", recipe)
    return planner.steps


class _Planner:
    """The state shared by all visits of one plan."""

    def __init__(self, index: Index, host_env: Mapping[str, str]) -> None:
        self.store = Store(index)
        self.answering = Answering(Chooser(index, Quiet()), host_env, quiet=True)
        self.steps: list[PlannedStep] = []
        self.above: list[tuple[str, ...]] = []  # the recipes being planned, outermost first
        self.seen: set[tuple[str, ...]] = set()
        # Number of enclosing steps that are a maybe. Below one, a tree that was shown is not shown again.
        self.uncertain = 0
        self.unknown: list[str] = []  # patterns of variables that an earlier step may have set

    def visit(
        self, call: RecipeCall, phase: str, condition: str, because: str, recipe: Recipe | None = None
    ) -> RecipeOutcome:
        """Plans one recipe and its dependencies. Returns the env and state that it is known to export."""
        request = self.answering.request(call, recipe)
        recipe, resolved = request.resolved.recipe, request.resolved
        step = PlannedStep(
            call.depth,
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
            return NOTHING
        if (self.uncertain or condition == "maybe") and identity in self.seen:
            step.repeated = True
            return NOTHING
        self.above.append(identity)
        self.seen.add(identity)
        self.uncertain += condition == "maybe"
        try:
            with recipe.errors_attributed():
                return _Visit(self, call, request, step).outcome()
        finally:
            self.uncertain -= condition == "maybe"
            self.above.pop()

    def may_be_set(self, key: str) -> bool:
        return any(fnmatch.fnmatchcase(key, pattern) for pattern in self.unknown)


class _Visit:
    """The walk through one recipe of a plan. It runs nothing: variables that hooks and scripts set are marked
    unknown."""

    def __init__(
        self, planner: _Planner, call: RecipeCall, request: RecipeRequest, step: PlannedStep
    ) -> None:
        self.planner = planner
        self.request = request
        self.step = step
        self.resolved = request.resolved
        self.assigned = _assigned(request.resolved.recipe.folder)
        self.walk = Walk(call, request, self, [], {})
        self.condition, self.because = "yes", ""  # those of the next dependency

    def outcome(self) -> RecipeOutcome:
        """The outcome from the cache, else from the recipe's description."""
        planner, resolved = self.planner, self.resolved
        before = len(planner.unknown)
        found = self.request.look_up(planner.store).entries if self.request.may_cache() else []
        if found:
            self.step.cached = str(found[0].path)
            kept = planner.store.state(found[0])
            self.walk.reuse(lambda: None)
            return NOTHING._replace(new_env=kept["new_env"], new_state=kept.get("new_state") or {})
        self.walk.make()
        # Variables that hooks set without exporting end with the recipe; exports of its dependencies stay.
        planner.unknown[before:] = [one for one in planner.unknown[before:] if one not in self.assigned]
        self.step.downloads = _downloads(resolved.env, resolved.recipe)
        planner.unknown += list(resolved.new_env_keys)
        return NOTHING._replace(
            new_env=exported(resolved.env, resolved.new_env_keys),
            new_state=exported(resolved.state, resolved.new_state_keys),
        )

    # ------------------------------------------------------------------ the steps of the walk

    def begin(self) -> None:
        if not self.resolved.versions.version:
            apply_default_version(self.resolved, self.request.inputs)

    def takes(self, entry: Entry, phase: str) -> bool:
        self.condition, self.because = self._condition(entry)
        if self.condition == "no":
            self._note(phase, entry, len(self.planner.steps))
        return self.condition != "no"

    def answer(self, entry: Entry, phase: str, child_env: Env) -> RecipeOutcome | None:
        condition, because = self.condition, self.because
        place = len(self.planner.steps)
        try:
            outcome = self.planner.visit(self.walk.child(entry, child_env), phase, condition, because)
        except RecipeFault as fault:
            self.condition, self.because = condition, because
            self._note(phase, entry, place).problem = fault.message.splitlines()[0]
            return None
        return outcome if condition == "yes" else None

    def preprocess(self) -> bool:
        self.planner.unknown += self.assigned
        return True

    def native_script(self) -> None:
        pass

    def postprocess(self) -> None:
        pass

    def _note(self, phase: str, entry: Entry, place: int) -> PlannedStep:
        """Adds a step for a dependency that was not visited."""
        depth, tags = self.step.depth + 1, str(entry["tags"])
        step = PlannedStep(depth, phase, "", tags, condition=self.condition, because=self.because)
        self.planner.steps.insert(place, step)
        return step

    def _condition(self, entry: Entry) -> tuple[str, str]:
        """Whether an entry applies (yes, no or maybe), and the variables that decide it."""
        env, planner = self.resolved.env, self.planner
        read = sorted(keys_read(entry))
        because = ", ".join(f"{key}={hidden(env.get(key, '(unset)'), key)}" for key in read)
        open_keys = [
            key
            for key in read
            if planner.may_be_set(key) and (key not in env or env.origin.get(key) != "command line")
        ]
        if open_keys:
            return "maybe", f"{', '.join(open_keys)} is set on the way"
        return ("yes" if applies(entry, env, self.request.flags.fake_run) else "no"), because


def _native_script(recipe: Recipe) -> str:
    scripts = sorted(path.name for path in recipe.folder.glob("run*.sh"))
    return scripts[0] if scripts else ""


def _assigned(folder: Path) -> list[str]:
    """Variables that a recipe's hooks assign, found in the text of customize.py."""
    path = folder / "customize.py"
    if not path.is_file():
        return []
    found = _ASSIGNED.findall(path.read_text(encoding="utf-8", errors="replace"))
    return list(dict.fromkeys(re.sub(r"\{.*?\}", "*", key) for key in found))


def _downloads(env: Env, recipe: Recipe) -> list[str]:
    """URLs that this recipe itself sets, in `env`, a variation or a version."""
    values = [value for key, value in env.items() if _own(env.origin.get(key, ""), recipe)]
    return sorted({hidden(value) for value in values if isinstance(value, str) and _ADDRESS.match(value)})


def _own(origin: str, recipe: Recipe) -> bool:
    return origin.startswith(("variation ", "version ")) or origin.endswith(f"env of {recipe.alias}")


def as_text(steps: list[PlannedStep]) -> str:
    """The tree, one line per step: `+` runs, `=` comes from the cache, `-` does not run, `?` is not known yet."""
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
