from __future__ import annotations

import pytest

from assay.bench.obstacles import Obstacles
from assay.ground.errors import ArtifactError, ConfigError


def refuse(message: str) -> int:
    raise ConfigError(message, "another")


def test_what_a_step_gives_is_given_on_and_what_it_raises_is_kept_once() -> None:
    way = Obstacles()
    assert way.past(lambda: 3) == 3 and not way.found
    assert way.past(lambda: refuse("first")) is None
    way.add([ConfigError("second"), ConfigError("first", "another"), ArtifactError("first")])
    assert [(type(each), each.message, each.hint) for each in way.found] == [
        (ConfigError, "first", "another"),
        (ConfigError, "second", ""),
        (ArtifactError, "first", ""),
    ]


def test_a_bug_is_no_obstacle() -> None:
    with pytest.raises(ZeroDivisionError):
        Obstacles().past(lambda: 1 // 0)
