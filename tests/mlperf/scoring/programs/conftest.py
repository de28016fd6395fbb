"""The sandbox that tests of graded programs share."""

from collections.abc import Iterator

import pytest

from assay.ground.errors import EnvironmentProblem
from assay.sandbox import sandbox as sandboxes
from assay.sandbox.sandbox import Sandbox


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    try:
        with sandboxes.opened(2) as box:
            yield box
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)
