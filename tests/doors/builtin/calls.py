"""A call of one of our own recipes, whose benchmark is the test's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.config import Request
from assay.doors.builtin.call import BuiltinCall, Delivered
from assay.ground.hub import Hub
from assay.recipes.model.selection import Selection


class Benchmark:
    """Takes the place of the benchmark: keeps the requests, hands back what it was made with."""

    def __init__(self, folder: Path, tree: Path | None = None, archive: Path | None = None) -> None:
        self.delivered = Delivered(folder, tree, archive)
        self.requests: list[Request] = []

    def __call__(self, request: Request, hub: Hub) -> Delivered:
        self.requests.append(request)
        return self.delivered


def none_is_run(request: Request, hub: Hub) -> Delivered:
    raise AssertionError("no benchmark is run")


class Call:
    """`Call(tags, deliver).of(CM_X="1")`, with what it said in `said`."""

    def __init__(self, tags: str, deliver: Any = none_is_run, prefix: str = "CM_", **defaults: str) -> None:
        self.tags, self.deliver, self.prefix, self.defaults = tags, deliver, prefix, defaults
        self.said: list[str] = []

    def of(self, **env: str) -> BuiltinCall:
        selection = Selection.parse(self.tags)
        return BuiltinCall(selection, env, self.defaults, {}, self.prefix, self.said.append, self.deliver)
