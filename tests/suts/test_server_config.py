from __future__ import annotations

from pathlib import Path

import pytest

from assay.ground.errors import ConfigError
from assay.suts.server_config import expanded
from assay.suts.server_settings import from_command

YAML = """
kv_cache_config:
  enable_block_reuse: {reuse}
  dtype: fp8
  free_gpu_memory_fraction: 0.9
speculative_config: {{decoding_type: Eagle, max_draft_len: 3}}
stream_interval: 20
max_seq_len: 4096
tensor_parallel_size: 4
cuda_graph_config: null
"""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    path = tmp_path / "more.yaml"
    path.write_text(YAML.format(reuse="false"))
    return ["trtllm-serve", "model", "--tp_size", "2", "--extra_llm_api_options", str(path)]


def test_what_the_file_says_counts_above_the_command_line(words: list[str]) -> None:
    found = from_command("trtllm", expanded("trtllm", words))
    assert found.prefix_cache is False
    assert (found.kv, found.interval, found.context) == ("fp8", 20, 4096)
    assert found.devices == {"tensor": 4}
    assert found.draft_steps == 3 and "Eagle" in found.drafts


@pytest.mark.parametrize(("reuse", "is_on"), [("true", True), ("false", False), ("no", False)])
def test_blocks_are_used_again_unless_the_file_says_no(
    words: list[str], tmp_path: Path, reuse: str, is_on: bool
) -> None:
    Path(words[-1]).write_text(YAML.format(reuse=reuse))
    assert from_command("trtllm", expanded("trtllm", words)).prefix_cache is is_on
    inline = [*words[:-2], f"--config={words[-1]}"]
    assert from_command("trtllm", expanded("trtllm", inline)).prefix_cache is is_on
    assert from_command("trtllm", expanded("trtllm", words[:2])).prefix_cache is True  # its default


def test_other_servers_and_a_name_without_a_value_are_left_as_they_are(words: list[str]) -> None:
    assert expanded("vllm", words) == words
    assert expanded("trtllm", words[:-1]) == words[:-1]
    Path(words[-1]).write_text("")
    assert expanded("trtllm", words) == words


@pytest.mark.parametrize("content", [None, b"- a\n- b", b"a: [", b"\xff\xfe", b"a: &a [*a]"])
def test_a_file_of_no_settings_is_said(words: list[str], content: bytes | None) -> None:
    Path(words[-1]).unlink() if content is None else Path(words[-1]).write_bytes(content)
    with pytest.raises(ConfigError, match=r"--extra_llm_api_options .*more.yaml"):
        expanded("trtllm", words)
