"""The names of precisions in commands and reports, brought to one spelling."""

from __future__ import annotations

PRECISIONS = {
    "fp32": "float32",
    "float32": "float32",
    "fp16": "float16",
    "float16": "float16",
    "bf16": "bfloat16",
    "bfloat16": "bfloat16",
    "fp8": "fp8",
    "fp4": "fp4",
    "int8": "int8",
    "uint8": "int8",
    "int4": "int4",
}


def precision(word: str) -> str:
    """Example: `fp16` -> `float16`; a word that is no precision comes back in lower case."""
    return PRECISIONS.get(word.lower(), word.lower())
