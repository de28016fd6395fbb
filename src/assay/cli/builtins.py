"""Our own recipes, for the CM verbs: registered cheaply, each imports what it needs when it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from assay.doors import builtin
from assay.recipes.builtin import Builtin

if TYPE_CHECKING:
    from assay.cli.progress import ProgressLine
    from assay.config import BenchmarkConfig, Delivery
    from assay.doors.builtin.call import Delivered, MayFetch
    from assay.ground.hub import Hub


def builtins(environ: Mapping[str, str]) -> list[Builtin]:
    """All of them; what they say goes to stderr, as CM's own log does."""

    @cache
    def line() -> ProgressLine:
        from assay.cli.progress import ProgressLine

        return ProgressLine()

    def say(text: str) -> None:
        line().say(text)

    def deliver(config: BenchmarkConfig, delivery: Delivery, hub: Hub, *, may_fetch: MayFetch) -> Delivered:
        from assay.bench import app, benchmark
        from assay.cli import compliance
        from assay.cli.bench import asked

        say(asked(config))
        watch = app.Watch(say, line().show)
        try:
            return benchmark.deliver(
                config, delivery, hub, watch, may_fetch=may_fetch, comply=compliance.perform
            )
        finally:
            line().close()

    return builtin.registered(deliver, say, environ)
