from __future__ import annotations

from pathlib import Path

import pytest

from assay.ground import settings
from assay.suts import serve_pace

WORDS = ["python", "-m", "server", "--port", "41234", "--url=http://127.0.0.1:41234"]


def test_the_fastest_run_is_remembered(tmp_path: Path) -> None:
    settings.set_home(tmp_path)
    command = serve_pace.key(WORDS, 41234, tmp_path)
    assert serve_pace.recall(command) is None
    for start_s, pace in ((9.0, 100.0), (7.0, 250.0), (8.0, 90.0)):
        serve_pace.keep(command, start_s, pace)
    found = serve_pace.recall(command)
    assert found is not None and (found.start_s, found.tokens_per_s) == (7.0, 250.0)
    assert "250 tokens/s" in found.words() and found.day in found.words()
    assert serve_pace.recall(serve_pace.key([*WORDS, "--more"], 41234, tmp_path)) is None


def test_a_command_is_the_same_at_every_port_and_another_with_other_weights(tmp_path: Path) -> None:
    other = [word.replace("41234", "8000") for word in WORDS]
    assert serve_pace.key(WORDS, 41234, tmp_path) == serve_pace.key(other, 8000, tmp_path)
    before = serve_pace.key(WORDS, 41234, tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert serve_pace.key(WORDS, 41234, tmp_path) != before


@pytest.mark.parametrize(
    "content", ["", "[]", '{"start_s": 1}', '{"start_s": 1, "tokens_per_s": 0, "day": "d"}']
)
def test_a_damaged_memory_is_none(tmp_path: Path, content: str) -> None:
    settings.set_home(tmp_path)
    serve_pace.keep("c", 1.0, 2.0)
    (file,) = (tmp_path / "served").iterdir()
    file.write_text(content)
    assert serve_pace.recall("c") is None
