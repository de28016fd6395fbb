"""docs/environment.md names every environment variable that the code reads, and no other of ours."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
TUPLES = ("HOST_KEYS", "PROXIES")
"""Constants of names that are looked up in the environment one by one."""


def test_every_variable_that_is_read_is_documented() -> None:
    found = {name for path in (ROOT / "src").rglob("*.py") for name in read_in(path)}
    assert {"ASSAY_HOME", "HF_TOKEN", "CM_REPOS", "GH_TOKEN", "TERM"} <= found
    assert sorted(name for name in found if f"`{name}`" not in PAGE) == []


def test_no_variable_of_ours_is_documented_that_is_not_read() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("src", "tests")
        for path in (ROOT / folder).rglob("*.py")
    )
    named = set(re.findall(r"`(ASSAY_[A-Z_]+)`", PAGE))
    assert sorted(name for name in named if f'"{name}"' not in code) == []


def read_in(path: Path) -> Iterator[str]:
    """Names looked up in `os.environ` or in a mapping called environ or host_env, and those of TUPLES."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Subscript) and is_environment(node.value) and isinstance(node.ctx, ast.Load):
            yield from texts(node.slice)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            is_lookup = node.func.attr == "get" and is_environment(node.func.value)
            if is_lookup or node.func.attr == "getenv":
                yield from texts(node.args[0])
        elif isinstance(node, ast.Assign) and any(getattr(t, "id", "") in TUPLES for t in node.targets):
            for each in ast.walk(node.value):
                yield from texts(each)


def is_environment(node: ast.expr) -> bool:
    return getattr(node, "attr", getattr(node, "id", "")) in ("environ", "host_env")


def texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif (
        isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "key"
    ):  # of a dialect, which has a prefix
        yield from (prefix + name for each in node.args for name in texts(each) for prefix in ("CM_", "MLC_"))
