"""Removes folders of a home: clones, cache entries, recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.recipes.errors import NOT_FOUND, RecipeFault


def remove_folder(folder: Path) -> None:
    """Removes a folder, read-only files in it too (Go and git make such files). A link is removed, not its target.

    Raises: RecipeFault (16) when it cannot be removed.
    """
    import shutil

    if folder.is_symlink():
        folder.unlink()
        return

    def retry(function: Any, path: str, _problem: Any) -> None:
        Path(path).parent.chmod(0o755)
        Path(path).chmod(0o755)
        function(path)

    try:
        shutil.rmtree(folder, onerror=retry)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RecipeFault(f"cannot remove {folder}: {error.strerror}", NOT_FOUND) from error
