"""Actions of the automation `utils` for hooks: download, unpack, run a command, truth of a value."""

from __future__ import annotations

import http.client
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from assay.ground import unzip
from assay.ground.download import Patience
from assay.ground.errors import AssayError
from assay.ground.files import staged
from assay.ground.redact import addresses
from assay.recipes.contract.cm import CM
from assay.recipes.contract.shell import host_info
from assay.recipes.contract.truth import FALSE_WORDS, TRUE_WORDS
from assay.recipes.values import Values

Answer = Values
CHUNK_BYTES = 65536
STALL_S = Patience().stall_s
"""Seconds without a byte after which a download is given up."""


def is_true(val: Any) -> bool:
    """Whether a value is true, yes, on or 1, in any case."""
    return str(val).lower() in TRUE_WORDS


def is_false(val: Any) -> bool:
    """Whether a value is false, no, off or 0, in any case."""
    return str(val).lower() in FALSE_WORDS


def get_host_os_info(i: Answer | None = None) -> Answer:
    return {"return": 0, "info": host_info(CM)}


def download_file(i: Answer) -> Answer:
    """Downloads `url` to `filename` below `path`. The file gets its name only when it is complete. Returns
    `filename`, `path`, `size`."""
    url = str(i["url"])
    name = i.get("filename") or Path(urllib.parse.urlparse(url).path).name or "download"
    folder = Path(i.get("path") or ".")
    if Path(name).name != name:
        folder, name = folder / Path(name).parent, Path(name).name
    target = folder / name
    try:
        with urllib.request.urlopen(url, timeout=STALL_S) as answer, staged(target) as part:
            expected = int(answer.headers.get("Content-Length") or 0)
            with part.open("wb") as file:
                while chunk := answer.read(int(i.get("chunk_size") or CHUNK_BYTES)):
                    file.write(chunk)
            if expected and (size := part.stat().st_size) != expected:
                raise ValueError(f"cut short at {size} of {expected} bytes")  # `staged` then removes the part
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError, AssayError) as error:
        return {"return": 1, "error": addresses(f"cannot download {url}: {error}")}
    return {"return": 0, "filename": name, "path": str(target), "size": target.stat().st_size}


def unzip_file(i: Answer) -> Answer:
    """Unpacks `filename` below `path`, without its first `strip_folders` folders. It unpacks all files or none."""
    source = Path(i["filename"])
    target = Path(i.get("path") or ".").resolve()
    if not source.is_file():
        return {"return": 1, "error": f"file {source} was not found"}
    try:
        files = unzip.unpack(source, target, int(i.get("strip_folders") or 0))
    except (AssayError, ValueError) as error:
        return {"return": 1, "error": str(error)}
    return {"return": 0, "folders": [], "files": [str(path) for path in files]}


def system(i: Answer) -> Answer:
    """Runs the command `cmd` in `path` with a shell. Returns `ret`, `stdout`, `stderr`, `std`."""
    done = subprocess.run(
        i["cmd"], shell=True, cwd=i.get("path") or None, capture_output=True, text=True, check=False
    )
    return {
        "return": 0,
        "ret": done.returncode,
        "stdout": done.stdout,
        "stderr": done.stderr,
        "std": (done.stdout + done.stderr).strip(),
    }


def list_files_recursively(i: Answer) -> Answer:
    """All files below the current folder, as the text `files` with commas."""
    return {"return": 0, "files": ",".join(sorted(str(p) for p in Path.cwd().rglob("*") if p.is_file()))}


ACTIONS = {
    "download_file": download_file,
    "unzip_file": unzip_file,
    "system": system,
    "get_host_os_info": get_host_os_info,
    "list_files_recursively": list_files_recursively,
}
