"""Removing the folders of a home: clones, cache entries, recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.recipes.errors import NOT_FOUND, RecipeFault


def remove_folder(folder: Path) -> None:
    """Remove a folder that may hold read-only files (as Go and git make them); a link is only unlinked."""
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
