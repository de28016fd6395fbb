"""The one list of scenarios, and what depends on each."""

from __future__ import annotations

import pytest

from assay.config import Scenario


@pytest.mark.parametrize(
    ("scenario", "in_loadgen", "suffix", "target"),
    [
        (Scenario.OFFLINE, "Offline", "", "target_qps"),
        (Scenario.SERVER, "Server", "", "target_qps"),
        (Scenario.INTERACTIVE, "Server", "-interactive", "target_qps"),
        (Scenario.SINGLE_STREAM, "SingleStream", "", "target_latency"),
        (Scenario.MULTI_STREAM, "MultiStream", "", "target_latency"),
    ],
)
def test_interactive_is_loadgens_server_with_a_key_of_its_own(
    scenario: Scenario, in_loadgen: str, suffix: str, target: str
) -> None:
    assert (scenario.in_loadgen, scenario.key_suffix, scenario.target_field) == (in_loadgen, suffix, target)
    assert scenario.is_paced == (in_loadgen == "Server")


def test_a_scenario_is_found_by_its_name_in_any_case() -> None:
    assert Scenario.named(" singlestream") is Scenario.SINGLE_STREAM
    assert Scenario.named("burst") is None
