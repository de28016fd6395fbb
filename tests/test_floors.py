"""The invariants that ARCHITECTURE.md states as absences and that import-linter cannot see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli as tomllib

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "assay"
MODULES = sorted(SOURCE.rglob("*.py"))


def place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (
            r"\bos\.(environ|getenv)\b",
            (
                "cli/",
                "bench/library.py",
                "doors/",
                "recipes/contract/",
                "recipes/actions/remote.py",
                "suts/secret.py",
                "suts/ray_environment.py",
            ),
        ),
        (r"""["'](CM|MLC)_[A-Z]""", ("doors/", "recipes/contract/", "recipes/model/env.py")),
        (r"""dialect(\.name)? == |[=!]= ["'](cm|mlc)["']""", ("cli/", "doors/", "recipes/contract/")),
        (r"\bimport mlperf_loadgen\b", ("mlperf/run/loadgen.py",)),
        # A child process ends by `sys.exit(main(...))` at the foot of its own file.
        (r"^\s*(sys\.)?exit\((?!main\()", ("cli/", "__main__.py")),
    ],
    ids=["environment", "foreign names", "dialects", "LoadGen", "exit"],
)
def test_what_belongs_to_one_place_stands_nowhere_else(pattern: str, allowed: tuple[str, ...]) -> None:
    code = {place(p): "\n".join(_code_lines(p)) for p in MODULES if not place(p).startswith(allowed)}
    assert [name for name, text in code.items() if re.search(pattern, text, re.M)] == []


OWN_FILES = {"result.json", "requests.parquet", "first_try", "container.log"}
LOG_FILES = {
    "mlperf_log_detail.txt",
    "mlperf_log_summary.txt",
    "mlperf_log_accuracy.json",
    "mlperf_log_trace.json",
    "user.conf",
    "audit.config",
    "accuracy.txt",
    "verify_accuracy.txt",
}


@pytest.mark.parametrize(
    ("names", "place_of_names"),
    [(OWN_FILES, "mlperf/record/run_folder.py"), (LOG_FILES, "mlperf/logs/names.py")],
    ids=["a run's own files", "LoadGen's files"],
)
def test_the_file_names_of_a_run_are_spelt_in_one_place(names: set[str], place_of_names: str) -> None:
    spelt: dict[str, set[str]] = {name: set() for name in names}
    for path in MODULES:
        for part in _path_parts(ast.parse(path.read_text(encoding="utf-8"))):
            if part in spelt:
                spelt[part].add(place(path))
    assert spelt == {name: {place_of_names} for name in names}


def _path_parts(tree: ast.Module) -> Iterator[str]:
    """The parts of every text that may be a path; docstrings and sentences are not."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield from node.value.split("/")


def test_the_map_and_the_decision_name_the_floors_that_imports_are_held_against() -> None:
    held = floors(" -> ".join(layers_of("assay")["layers"]))
    on_the_map = re.search(r"^    (cli -> .*)$", page("ARCHITECTURE.md"), re.M)
    decided = re.search(r"Imports go down only: (.*?)\. ", page("docs/adr/0001-floors.md"), re.S)
    assert on_the_map is not None and decided is not None
    assert floors(on_the_map[1]) == held
    assert floors(decided[1]) == held


@pytest.mark.parametrize("room", ["assay", "assay.bench", "assay.mlperf", "assay.recipes"])
def test_a_new_module_must_be_given_its_floor(room: str) -> None:
    contract = layers_of(room)
    assert contract["exhaustive"]
    folder = SOURCE.parent / room.replace(".", "/")
    there = {
        path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    listed = {*re.findall(r"\w+", " ".join(contract["layers"])), *contract.get("exhaustive_ignores", ())}
    assert there - {"__init__"} == listed


@pytest.mark.parametrize("room", ["mlperf", "recipes"])
def test_the_map_has_a_line_for_each_wing_from_the_top_down(room: str) -> None:
    folders = [wing for floor in layers_of(f"assay.{room}")["layers"] for wing in floor.split(" | ")]
    wings = [wing for wing in folders if (SOURCE / room / wing).is_dir()]
    drawn = re.search(rf"^      {room}/.*?\n((?:        .*\n)+)", page("ARCHITECTURE.md"), re.M)
    assert drawn is not None
    assert re.findall(r"^ {8}(\w+)/ ", drawn[1], re.M) == wings


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading of ARCHITECTURE.md, without its head."""
    section = page("ARCHITECTURE.md").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_every_noun_of_the_map_is_a_class_where_it_says() -> None:
    nouns = rows("Words")
    assert 20 <= len(nouns) <= 30
    for noun, meaning, where in nouns:
        tree = ast.parse((SOURCE / where.strip("`")).read_text(encoding="utf-8"))
        assert noun in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}, where
        assert meaning


def test_every_place_for_something_new_exists() -> None:
    for new, written in rows("A new … is"):
        paths = [path for path in re.findall(r"`([\w/.]+)`", written) if "/" in path]
        assert paths, new
        for path in paths:
            assert list(SOURCE.glob(path.replace("NAME", "*"))), path
        for table, file in re.findall(r"(\b[A-Z]{4,}) of `([\w/.]+)`", written):
            texts = [path.read_text(encoding="utf-8") for path in SOURCE.glob(file.replace("NAME", "*"))]
            assert any(re.search(rf"^{table}\b.* = ", text, re.M) for text in texts), (table, file)


def test_the_map_names_every_module_of_the_benchmark() -> None:
    names = {path.name for path in (SOURCE / "bench").glob("*.py")} - {"__init__.py"}
    assert names - set(re.findall(r"\b\w+\.py\b", page("ARCHITECTURE.md"))) == set()


def layers_of(container: str) -> dict[str, Any]:
    """The one contract of pyproject.toml that gives the modules of a package their floors."""
    contracts = tomllib.loads(page("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (found,) = [contract for contract in contracts if contract.get("containers") == [container]]
    return dict(found)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def floors(text: str) -> list[set[str]]:
    """`a -> b | c` or, in a sentence, "`a` -> {`b`, `c`}": the rooms of each floor, from the top down."""
    return [set(re.findall(r"[\w.]+", floor)) for floor in text.split("->")]


def test_no_module_catches_everything_in_silence() -> None:
    bare = [
        f"{place(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert bare == []


def test_every_module_says_what_it_knows() -> None:
    silent = [
        place(path)
        for path in MODULES
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def _code_lines(path: Path) -> list[str]:
    """Lines without comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = text.splitlines()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    return [line.split("  #")[0] for line in lines if not line.lstrip().startswith("#")]
