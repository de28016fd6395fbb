"""Where the files of mixtral-nano lie that ship with the package."""

from __future__ import annotations

from pathlib import Path


def checkpoint_dir() -> Path:
    """The folder of `model.safetensors`, `config.json` and the tokenizer."""
    return Path(__file__).parent / "checkpoint"
