"""A tool that a search may find."""

from __future__ import annotations

from pathlib import Path


def tool(folder: Path, *names: str, version: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(f"#!/bin/sh\necho {version or name}\n")
        (folder / name).chmod(0o755)
    return folder
