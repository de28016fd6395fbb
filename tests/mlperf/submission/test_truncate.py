"""Accuracy logs cut to the submission's form."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assay.mlperf.submission import truncate


@pytest.mark.parametrize("size", [0, 1, 4, 4095, 4096, 5000, 8199])
def test_a_log_that_the_cut_would_not_shorten_stays_whole(tmp_path: Path, size: int) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * size)
    assert truncate.cut(log) == b"x" * size


@pytest.mark.parametrize("size", [8200, 100_000])
def test_a_long_log_keeps_both_ends(tmp_path: Path, size: int) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"a" * 5000 + b"m" * (size - 10_000 if size > 10_000 else 0) + b"z" * 5000)
    kept = truncate.cut(log)
    assert len(kept) == 8199
    assert kept == b"a" * 4096 + b"\n\n...\n\n" + b"z" * 4096


def test_the_hash_is_that_of_the_whole_log_and_stands_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"[\n" * 9000)
    digest = hashlib.sha256(log.read_bytes()).hexdigest()
    once = truncate.with_hash("{'rouge1': 45.5}\n", log)
    assert once == f"{{'rouge1': 45.5}}\n\nhash={digest}\n"
    assert truncate.with_hash(once, log) == once
