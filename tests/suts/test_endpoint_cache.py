from __future__ import annotations

import pytest

from assay.suts import endpoint_cache, endpoint_server
from assay.suts.endpoint_cache import CacheCounters, CacheFindings

METRICS = """# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0"} 32.0
vllm:prefix_cache_hits_total{engine="1"} 10.0
vllm:prefix_cache_hits_total_more 5.0
vllm:prefix_cache_queries_total{engine="0"} x
"""


def test_the_counters_of_all_engines_are_added() -> None:
    assert endpoint_cache.counters([METRICS, ""]) == CacheCounters(42.0, None)


def test_sglang_and_tensorrt_llm_count_under_names_of_their_own() -> None:
    sglang = "".join(
        f'sglang:cached_tokens_total{{cache_source="{x}"}} {n}\n' for x, n in (("device", 7), ("host", 2))
    )
    trtllm = 'trtllm_prompt_cached_tokens_total{engine_type="trtllm"} 5.0\ntrtllm_prompt_tokens_total 20.0\n'
    assert endpoint_cache.counters([sglang, '[{"iter": 1}]']) == CacheCounters(9.0, None)
    assert endpoint_cache.counters([trtllm]) == CacheCounters(5.0, 20.0)


def test_hits_during_a_run_are_warm_and_a_server_without_counters_is_not_accused() -> None:
    warm = CacheFindings().ran(0, CacheCounters(10.0), CacheCounters(42.0))
    assert warm.breach() == "32 prompt tokens came from the server's prefix cache"
    assert "WARM" in warm.words()
    assert CacheFindings().ran(0, CacheCounters(), CacheCounters(42.0)).breach() == ""


def test_a_cache_that_is_on_breaks_the_rules_unless_every_query_has_a_salt() -> None:
    assert CacheFindings(is_on=True).breach()
    assert not CacheFindings(is_on=True, is_salted=True).breach()
    assert "not known" in CacheFindings().words()


def test_only_known_fields_of_a_server_are_kept() -> None:
    kept = {field for fields in endpoint_server.ABOUT.values() for field in fields}
    assert not [field for field in kept if "key" in field or "token" in field]


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "1e400", "1e300", "many"])
def test_what_is_no_count_is_not_counted(value: str) -> None:
    name = endpoint_cache.HITS[0]
    assert endpoint_cache.counters([f"{name} {value}"]) == CacheCounters(None, None)
    assert endpoint_cache.counters([f"{name} {value}\n{name} 3"]) == CacheCounters(3.0, None)
