"""AIPerf's export in the form of schema 1.4, as AIPerf 0.13 writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.bench import foreign_aiperf, foreign_tools
from assay.ground.errors import ArtifactError
from tests.bench.foreign_files import AIPERF

PHASES = [{"kind": "warmup", "concurrency": 1}, {"name": "profiling", "kind": "profiling", "concurrency": 4}]
INPUT = {"models": {"items": [{"name": "org/model"}]}, "endpoint": {"type": "chat"}, "phases": PHASES}
NEWER: dict[str, Any] = AIPERF | {"schema_version": "1.4", "input_config": INPUT}


def request(number: int, phase: str = "profiling", **metrics: Any) -> str:
    start = 10**18 + number * 10**8
    known = {
        "time_to_first_token": {"value": 20.0, "unit": "ms"},
        "output_sequence_length": {"value": 16, "unit": "tokens"},
        "input_sequence_length": {"value": 9, "unit": "tokens"},
    }
    about = {"benchmark_phase": phase, "request_start_ns": start, "request_end_ns": start + 5 * 10**7}
    return json.dumps({"metadata": about, "metrics": known | metrics}) + "\n"


def lay(folder: Path, requests: str = "", **changes: Any) -> Path:
    folder.mkdir()
    (folder / "inputs.json").write_text("[]")
    file = folder / "profile_export_aiperf.json"
    file.write_text(json.dumps(NEWER | changes))
    (folder / foreign_aiperf.REQUESTS).write_text(requests)
    return file


def test_its_folder_is_imported_with_model_settings_and_requests(tmp_path: Path) -> None:
    text = request(1) + request(0, "warmup") + request(2)
    lay(tmp_path / "art", text)
    (found,) = foreign_tools.runs_in(tmp_path / "art")
    assert (found.model, found.runs[0].effective) == ("org/model", {"concurrency": 4})
    first, second = found.requests
    assert (first.prompt_tokens, first.answer_tokens) == (9, 16)
    assert first.first_s - first.sent_s == pytest.approx(0.02, abs=1e-6)
    assert second.end_s - second.sent_s == pytest.approx(0.05, abs=1e-6)


def test_requests_without_tokens_are_left_out(tmp_path: Path) -> None:
    failed = json.dumps(
        {"metadata": {"benchmark_phase": "profiling"}, "metrics": None, "error": {"code": 500}}
    )
    lay(tmp_path / "art", failed + "\n" + request(1))
    (found,) = foreign_tools.runs_in(tmp_path / "art")
    assert len(found.requests) == 1


@pytest.mark.parametrize("phase", [{"rate": 5.0}, {"request_rate": 5.0}])
def test_requests_at_a_rate_are_called_server(tmp_path: Path, phase: dict[str, Any]) -> None:
    lay(tmp_path / "art", input_config=INPUT | {"phases": [phase]})
    (found,) = foreign_tools.runs_in(tmp_path / "art")
    assert found.runs[0].scenario == "Server"


@pytest.mark.parametrize(
    "requests", ["{\n", "[]\n", '{"metadata": {"benchmark_phase": "profiling"}, "metrics": 3}\n']
)
def test_damaged_requests_are_refused(tmp_path: Path, requests: str) -> None:
    lay(tmp_path / "art", requests)
    with pytest.raises(ArtifactError, match="is not what its tool writes"):
        foreign_tools.runs_in(tmp_path / "art")
