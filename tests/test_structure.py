"""Every goal of `tools/structure.py` is met."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "structure.py"


@pytest.fixture(scope="module")
def structure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("structure", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_goal_of_the_structure_is_met(structure: ModuleType) -> None:
    assert [f"{row.name}: {row.value}" for row in structure.rows() if not row.is_met] == []


def test_a_circle_and_its_floors_are_counted(structure: ModuleType) -> None:
    graph = {"top": {"a"}, "a": {"b"}, "b": {"a", "ground"}, "ground": set()}
    assert structure.circles(graph) == [["a", "b"]]
    assert structure.height(graph) == 4


def test_a_module_is_tested_where_a_test_imports_it(structure: ModuleType) -> None:
    names = {name for _, name in structure.untested()}
    assert "assay.ground.errors" not in names
    assert "assay.mlperf.rounds" not in names  # decides nothing: an empty file
    assert names < {structure.module_name(path) for path in structure.python_files(structure.PACKAGE)}


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ('subprocess.run([sys.executable, "-m", "assay.cli.contained"])', True),
        ('runpy.run_path(SRC / "assay/cli/contained.py")', True),
        ('NAME = "assay.cli.contained"', False),  # starts nothing
        ('subprocess.run(["assay.cli.contained.py"])', False),
        ('runpy.run_path("the file assay/cli/contained.py")', False),
    ],
)
def test_a_module_is_tested_where_a_test_starts_it_by_its_name(
    structure: ModuleType, test: str, found: bool
) -> None:
    names = {"assay.cli.contained", "assay.cli.check"}
    assert structure.started(ast.parse(test), names) == ({"assay.cli.contained"} if found else set())
