from __future__ import annotations

import pytest

from assay.config import Precision
from assay.suts import serve_devices
from assay.suts.server_settings import ServerSettings, from_command
from assay.suts.shape import MIXTRAL_8X7B, of

SHAPE = of(MIXTRAL_8X7B)
WHOLE = 2 * 46_702_792_704
KV = 2 * 32 * 8 * 128 * 2
"""Keys and values of a token: layers, heads, width, bytes."""


def need(*words: str) -> serve_devices.DeviceNeed:
    return serve_devices.need(SHAPE, Precision.BFLOAT16, from_command("vllm", words))


def test_one_device_holds_all() -> None:
    held = serve_devices.need(SHAPE, Precision.BFLOAT16, ServerSettings())
    assert (held.parts, held.copies, held.weight_bytes, held.kv_bytes_per_token) == (1, 1, WHOLE, KV)
    assert held.tokens_in(80e9) < 0 < held.tokens_in(141e9)
    assert held.tokens_in(141e9) == int((0.9 * 141e9 - WHOLE) / KV)


@pytest.mark.parametrize(
    ("words", "parts", "copies", "weights", "kv"),
    [
        (("-tp", "4"), 4, 1, WHOLE / 4, KV / 4),
        (("-tp", "2", "-pp", "2"), 4, 1, WHOLE / 4, KV / 4),
        (("-tp", "16"), 16, 1, WHOLE / 16, KV / 8),  # 8 KV heads cannot be divided further
        (("-tp", "2", "-dp", "4"), 2, 4, WHOLE / 2, KV / 2),
        (("-q", "fp8", "--kv-cache-dtype", "fp8"), 1, 1, WHOLE / 2, KV / 2),
        (("-q", "something"), 1, 1, WHOLE, KV),
    ],
)
def test_arguments_divide_and_shrink_what_a_device_holds(
    words: tuple[str, ...], parts: int, copies: int, weights: float, kv: float
) -> None:
    held = need(*words)
    assert (held.parts, held.copies, held.kv_bytes_per_token) == (parts, copies, kv)
    assert held.weight_bytes == pytest.approx(weights)


def test_it_is_said_in_words() -> None:
    assert need("-tp", "4", "-dp", "2").words() == (
        "each of 4 devices holds 23.4 GB of weights and 32.8 kB of keys and values a token, 2 times over"
    )
