#!/usr/bin/env python3
"""Counts what makes the package easy or hard to grow: `python tools/structure.py [--json | --untested]`.

The counts are read from the source alone; nothing of the package is imported. ARCHITECTURE.md says what the names
mean. A row that has a goal is held against it; the exit status is the number of rows that miss theirs.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "assay"
TESTS = ROOT / "tests"
ENTRY_FILES = {"__init__.py", "__main__.py"}
STARTERS = {"Popen", "SourceFileLoader", "import_module", "run_module", "run_path", "spec_from_file_location"}
STARTERS |= {"check_call", "check_output", "run"}
"""What starts a process with a module in it, or loads one by its path."""
Graph = Mapping[str, set[str]]


@dataclass(frozen=True)
class Row:
    """One count and the goal it is held against: at most, or at least; None = no goal."""

    name: str
    value: float
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_met(self) -> bool:
        is_low_enough = self.at_most is None or self.value <= self.at_most
        return is_low_enough and (self.at_least is None or self.value >= self.at_least)


def rows() -> list[Row]:
    """Every count, in the order in which it is printed."""
    source = lines_of(PACKAGE)
    return [
        Row("rooms at the top of the package", len(rooms(PACKAGE)), at_most=18),
        Row("floors of recipes/", height(room_graph(PACKAGE / "recipes")), at_most=8),
        Row("import circles of files", len(circles(file_graph())), at_most=0),
        Row("public class names used twice", len(doubled_classes()), at_most=0),
        Row("calls with 8 or more arguments without names", len(long_calls()), at_most=0),
        Row("Any per 1,000 lines", round(1000 * count_any() / source, 1), at_most=12),
        Row("comparisons with the name of a SUT", len(name_comparisons(names_in("suts"), "suts")), at_most=0),
        Row(
            "comparisons with the name of a workload",
            len(name_comparisons(workload_names(), "mlperf/workloads")),
            at_most=0,
        ),
        Row("lines of tests per line of source", round(lines_of(TESTS) / source, 2), at_least=0.8),
        Row("modules that no test imports", len(untested()), at_most=0),
        Row("files of the package", len(python_files(PACKAGE))),
        Row("lines of the package", source),
    ]


def python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def lines_of(folder: Path) -> int:
    return sum(path.read_text(encoding="utf-8").count("\n") for path in python_files(folder))


def rooms(folder: Path) -> list[Path]:
    """What a newcomer meets in a folder: its files and its sub-packages."""
    return sorted(
        path
        for path in folder.iterdir()
        if (path.suffix == ".py" and path.name not in ENTRY_FILES)
        or (path.is_dir() and any(path.glob("**/*.py")))
    )


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def file_graph() -> Graph:
    """Module -> modules of the package that it imports, inside functions too, but not for types alone."""
    names = {module_name(path) for path in python_files(PACKAGE)}
    return {
        module_name(path): set(imported(path, names)) - {module_name(path)} for path in python_files(PACKAGE)
    }


def untested() -> list[tuple[int, str]]:
    """Lines and name of each module with a function or a class that no file of the tests runs, the longest first.

    A test runs what it imports. What lives in another process, or in another tool's, it may run by its name: a text
    of the test is the module's dotted name or its path below src/, and the test starts or loads something.
    """
    names = {module_name(path) for path in python_files(PACKAGE)}
    seen = {name for path in python_files(TESTS) for name in imported(path, names)}
    seen |= {name for path in python_files(TESTS) for name in started(tree(path), names)}
    seen |= {inner for name in seen if is_package(name) for inner in file_graph()[name]}  # what it hands on
    left = [path for path in python_files(PACKAGE) if module_name(path) not in seen and has_code(tree(path))]
    return sorted(
        ((path.read_text(encoding="utf-8").count("\n"), module_name(path)) for path in left), reverse=True
    )


def started(test: ast.Module, names: set[str]) -> set[str]:
    """The modules that a test names by a text and not by an import, where it can start or load one."""
    nodes = list(ast.walk(test))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    if not used & STARTERS:
        return set()
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return {name for name in names if name in texts or path_below_src(name) in texts}


def path_below_src(name: str) -> str:
    place = name.replace(".", "/")
    return f"{place}/__init__.py" if is_package(name) else f"{place}.py"


def is_package(name: str) -> bool:
    return (PACKAGE.parent / name.replace(".", "/")).is_dir()


def has_code(module: ast.Module) -> bool:
    return any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in module.body)


def imported(path: Path, names: set[str]) -> Iterator[str]:
    for node in running_nodes(tree(path)):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            wanted = [name if name in names else node.module for name in whole]
        else:
            continue
        yield from (name for name in wanted if name in names)


def running_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those below `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from running_nodes(child)


def room_graph(folder: Path) -> Graph:
    """The imports among the rooms of one folder."""
    prefix = module_name(folder / "__init__.py") + "."

    def room(module: str) -> str:
        return module.removeprefix(prefix).split(".")[0] if module.startswith(prefix) else ""

    graph: dict[str, set[str]] = {path.stem: set() for path in rooms(folder)}
    for module, wanted in file_graph().items():
        if here := room(module):
            graph[here] |= {there for name in wanted if (there := room(name)) and there != here}
    return graph


def circles(graph: Graph) -> list[list[str]]:
    """Groups of two or more nodes each of which reaches all others (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            start = stack.index(node)
            group = stack[start:]
            del stack[start:]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def height(graph: Graph) -> int:
    """Rooms on the longest way down. A circle of n rooms counts as n floors: none of them can be read first."""
    leader = {node: group[0] for group in circles(graph) for node in group}

    @cache
    def below(node: str) -> int:
        members = [n for n in graph if leader.get(n, n) == node]
        wanted = {leader.get(w, w) for member in members for w in graph[member]} - {node}
        return len(members) + max((below(other) for other in wanted), default=0)

    return max((below(leader.get(node, node)) for node in graph), default=0)


def doubled_classes() -> list[str]:
    """Names that two or more public classes of the package share."""
    names = Counter(
        node.name
        for path in python_files(PACKAGE)
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    return sorted(name for name, count in names.items() if count > 1)


def count_any() -> int:
    return sum(
        isinstance(node, ast.Name) and node.id == "Any"
        for path in python_files(PACKAGE)
        for node in ast.walk(tree(path))
    )


def long_calls() -> list[str]:
    """Where 8 or more arguments stand without their names: two that are swapped go unseen."""
    return [
        f"{path}:{node.lineno}"
        for path in python_files(PACKAGE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and len(node.args) >= 8
        and not any(isinstance(each, ast.Starred) for each in node.args)
    ]


def names_in(folder: str) -> set[str]:
    """The keys of the dictionary TABLE in a folder's `__init__.py`."""
    for node in tree(PACKAGE / folder / "__init__.py").body:
        is_table = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TABLE"
        if is_table and isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            return {str(key.value) for key in node.value.keys if isinstance(key, ast.Constant)}
    return set()


def workload_names() -> set[str]:
    """The names of all rounds' workloads, and of Assay's own."""
    keys = re.compile(r"^\[workloads?\.\"?([^\]\"]+)\"?\]", re.M)
    rounds = (PACKAGE / "mlperf" / "rounds").glob("*.toml")
    return {"mixtral-nano"} | {
        name for path in rounds for name in keys.findall(path.read_text(encoding="utf-8"))
    }


def name_comparisons(names: set[str], home: str) -> list[str]:
    """Places outside `home` that ask which one it is: a comparison with a name, or a flag made of one."""
    found = []
    for path in python_files(PACKAGE):
        place = path.relative_to(PACKAGE).as_posix()
        if place.startswith(home):
            continue
        constants = constants_of(tree(path), names)
        for node in ast.walk(tree(path)):
            if asks_for(node, names, constants) or (home.endswith("workloads") and asks_embedded(node)):
                found.append(f"{place}:{getattr(node, 'lineno', 0)}")
    return found


def constants_of(module: ast.Module, names: set[str]) -> set[str]:
    """Module constants that hold one of the names."""
    return {
        target.id
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value in names
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def asks_for(node: ast.AST, names: set[str], constants: set[str]) -> bool:
    if not isinstance(node, ast.Compare):
        return False
    sides: Iterable[ast.expr] = [node.left, *node.comparators]
    return any(
        (isinstance(part, ast.Constant) and part.value in names)
        or (isinstance(part, ast.Name) and part.id in constants)
        for side in sides
        for part in ast.walk(side)
    )


def asks_embedded(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "is_embedded") or (
        isinstance(node, ast.Name) and node.id == "is_embedded"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    parser.add_argument("--untested", action="store_true", help="print the modules that no test imports")
    options = parser.parse_args()
    if options.untested:
        for lines, name in untested():
            print(f"{lines:>5}  {name}")
        return 0
    table = rows()
    if options.json:
        print(json.dumps([{**asdict(row), "is_met": row.is_met} for row in table], indent=2))
    else:
        for row in table:
            print(line(row))
    return sum(not row.is_met for row in table)


def line(row: Row) -> str:
    goal = f"at most {row.at_most:g}" if row.at_most is not None else ""
    goal = f"at least {row.at_least:g}" if row.at_least is not None else goal
    mark = "" if not goal else "  met" if row.is_met else "  missed"
    return f"{row.name:<42}{row.value:>9g}  {goal:<14}{mark}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
