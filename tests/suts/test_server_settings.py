from __future__ import annotations

import pytest

from assay.suts import serve_command
from assay.suts.server_settings import ServerSettings, cache_info, from_command, from_server, options_of

METRICS = (
    "# TYPE vllm:cache_config_info gauge\n"
    'vllm:cache_config_info{block_size="16",cache_dtype="fp8",enable_prefix_caching="True",num_gpu_blocks="100"} 1.0\n'
    'vllm:num_requests_running{engine="0",model_name="m"} 0.0\n'
    'vllm:num_requests_running{engine="1",model_name="m"} 0.0\n'
)


def test_the_last_option_of_a_name_counts_in_each_spelling() -> None:
    words = ["-m", "x", "--max_model_len", "8k", "--enforce-eager", "--seed", "-1", "--max-model-len=4096"]
    assert options_of(words) == {"-m": "x", "--enforce-eager": "", "--seed": "-1", "--max-model-len": "4096"}
    assert options_of(["--max_seq_len", "7"]) == {"--max_seq_len": "7"}  # TensorRT-LLM's own spelling


@pytest.mark.parametrize(
    ("dialect", "more", "is_on"),
    [
        ("vllm", (), True),
        ("vllm", ("--no-enable-prefix-caching",), False),
        ("vllm", ("--no-enable-prefix-caching", "--enable-prefix-caching"), True),
        ("vllm", ("--enable-prefix-caching", "--no-enable-prefix-caching"), False),
        ("sglang", (), True),
        ("sglang", ("--disable-radix-cache",), False),
        ("llamacpp", (), False),
        ("trtllm", (), True),
        ("trtllm", ("--kv-cache-config.enable-block-reuse=False",), False),
        ("openai", (), None),
    ],
)
def test_a_prefix_cache_is_on_where_the_server_has_it_on_unless_told(
    dialect: str, more: tuple[str, ...], is_on: bool | None
) -> None:
    assert from_command(dialect, more).prefix_cache is is_on


def test_each_server_has_names_of_its_own_for_the_same_thing() -> None:
    parts = ["-tp", "4", "-pp", "2", "-q", "fp8", "--kv-cache-dtype", "fp8_e5m2"]
    words = [*parts, "--stream-interval", "8", "--max-model-len", "8k"]
    draft = '{"method": "eagle", "num_speculative_tokens": 3}'
    vllm = from_command("vllm", [*words, "--speculative-config", draft])
    assert vllm.devices == {"tensor": 4, "pipeline": 2}
    assert (vllm.weights, vllm.kv, vllm.interval, vllm.draft_steps) == ("fp8", "fp8_e5m2", 8, 3)
    assert vllm.context == 8000 and vllm.drafts.startswith("--speculative-config {")
    sglang = from_command("sglang", ["--tp", "2", "--speculative-eagle-topk", "4", "--allow-auto-truncate"])
    assert (sglang.devices, sglang.draft_width, sglang.cuts) == ({"tensor": 2}, 4, "--allow-auto-truncate")
    assert from_command("llamacpp", ["-c", "8192", "-np", "4"]).context == 2048


def test_what_the_checkpoint_decides_is_no_setting() -> None:
    assert from_command("vllm", ["--no-enable-prefix-caching", "--dtype", "auto"]) == ServerSettings(False)


@pytest.mark.parametrize("server", serve_command.KNOWN)
def test_the_commands_of_the_known_servers_break_nothing(server: str) -> None:
    words = serve_command.KNOWN[server].command.split()
    dtype = "{dtype}" if "{dtype}" in words else ""
    assert from_command(server, words) == ServerSettings(False, dtype=dtype)


def test_what_a_running_server_does_not_say_is_not_known() -> None:
    assert from_server("vllm", {}) == from_server("sglang", {}) == ServerSettings()
    assert from_server("sglang", {"disable_radix_cache": False}).prefix_cache is True
    assert from_server("sglang", {"disable_radix_cache": True, "tp_size": 4}).devices == {"tensor": 4}
    assert from_server("sglang", {"speculative_algorithm": None, "quantization": ""}) == ServerSettings()
    assert from_server("vllm", {"max_model_len": 2048, "id": "x"}).context == 2048


def test_a_gguf_that_is_quantised_is_said_so() -> None:
    assert (
        from_server("llamacpp", {"model_ftype": "Q4_K - Medium", "ctx_size": 512}).weights == "Q4_K - Medium"
    )
    assert {from_server("llamacpp", {"model_ftype": it}).weights for it in ("BF16", "F16", "all F32")} == {""}


def test_vllm_tells_its_cache_in_its_metrics() -> None:
    told = cache_info(METRICS)
    assert told["kv_cache_tokens"] == 1600
    found = from_server("vllm", told)
    assert (found.prefix_cache, found.kv, found.devices) == (True, "fp8", {"data": 2})
    assert from_server("vllm", cache_info(METRICS.replace("True", "False"))).prefix_cache is False
    assert "kv_cache_tokens" not in cache_info(METRICS.replace('"100"', '"²"'))
    assert cache_info("") == cache_info("vllm:cache_config_info{") == {}
