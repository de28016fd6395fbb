"""What hooks get as `automation` to find a tool: its file in folders or on a search path, with a version that fits.

The methods take and return dictionaries with `return` and `error`, as hooks expect.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

from assay.recipes.contract.merge import copied
from assay.recipes.errors import GENERAL, NOT_FOUND, SCRIPT_FAILED
from assay.recipes.run.version_detection import Answer, VersionDetection
from assay.recipes.values import Values

# `python3` is also found as python3.11, python3-11, …  Source: find_artifact of the pinned engine.
NUMBERED = ("", ".[0-9]", ".[0-9][0-9]", "-[0-9]", "-[0-9][0-9]", "[0-9]", "[0-9][0-9]")
VERSIONED = ("[0-9].[0-9]", "[0-9][0-9].[0-9]", "[0-9][0-9].[0-9][0-9]")


class ToolSearch(VersionDetection):
    """Finds files. Asks the user where several fit."""

    def find_artifact(self, i: Answer) -> Answer:
        """Finds a file in the requested folders or on a search path. Returns 16 when there is none."""
        env, key = i["env"], self.dialect.key
        file_name = i["file_name"]
        searched = str(env.get(key("TMP_PATH")) or "")
        if searched and env.get(key("TMP_PATH_IGNORE_NON_EXISTANT")) != "yes":
            absent = [part for part in searched.split(":") if part.strip() and not Path(part).is_dir()]
            if absent:
                return {"return": GENERAL, "error": f"path {absent[0]} doesn't exist"}
        forced = str(env.get(key("INPUT")) or "").strip()
        if forced:
            if not Path(forced).is_file():
                return {"return": GENERAL, "error": f"file {forced} doesn't exist"}
            searched, file_name = str(Path(forced).parent), Path(forced).name
        default_paths = self.get_default_path_list(i)
        found = self.find_file_in_paths(
            {
                **i,
                "paths": searched.split(":") if searched else default_paths,
                "file_name": file_name,
                "env": copied(dict(env)),
                "select": True,
                "select_default": env.get(key("QUIET")) == "yes",
            }
        )
        if found["return"]:
            return found
        if not found["found_files"]:
            return {"return": NOT_FOUND, "error": f"{file_name} not found"}
        file_path = str(found["found_files"][0])
        self._put_on_path(i, env, file_path, default_paths)
        self.scripts.note(f"    # Found artifact in {file_path}")
        if i.get("env_path_key"):
            env[i["env_path_key"]] = file_path
        return {
            "return": 0,
            "found_path": str(Path(file_path).parent),
            "found_file_path": file_path,
            "found_file_name": Path(file_path).name,
            "default_path_list": default_paths,
        }

    def _put_on_path(self, i: Answer, env: Values, file_path: str, default_paths: list[str]) -> None:
        folder = str(Path(file_path).parent)
        if folder in default_paths:
            return
        list_key = "+" + str(i.get("default_path_env_key") or "")
        listed = env.get(list_key, [])
        if folder not in listed:
            env[list_key] = [folder, *listed]
        for extra, extra_key in (i.get("extra_paths") or {}).items():
            place = Path(folder).parent / extra
            if place.exists():
                env[extra_key] = [*env.get(extra_key, []), str(place)]

    def find_file_in_paths(self, i: Answer) -> Answer:
        """Finds files with a name in a list of folders. A version number may follow the name."""
        pattern = i.get("file_name_re")
        found: list[str] = []
        seen: set[tuple[int, int]] = set()
        for folder in i["paths"]:
            for path in _files_like(folder, i.get("file_name", ""), pattern):
                with contextlib.suppress(OSError):
                    status = Path(path).stat()
                    if (status.st_dev, status.st_ino) in seen:
                        continue
                    seen.add((status.st_dev, status.st_ino))
                if i.get("hook"):
                    verdict = i["hook"]({"file": path})
                    if verdict["return"]:
                        return dict(verdict)
                    if verdict.get("skip"):
                        continue
                found.append(path)
        if i.get("select") and i.get("detect_version"):
            answer = self._with_good_version(i, found)
            if answer["return"]:
                return answer
            found = answer["found_files"]
        if i.get("select") and len(found) > 1:
            found = [found[self._pick(found, default=bool(i.get("select_default")))]]
        return {"return": 0, "found_files": found}

    def _with_good_version(self, i: Answer, files: list[str]) -> Answer:
        good = []
        env, step = i.get("env") or {}, i["run_script_input"]
        for path in files:
            self.scripts.note(f"    * {path}")
            env[i["env_path_key"]] = path
            state = copied(step.get("state") or {})
            answer = self.detect(step, env)
            step["state"] = state
            if answer["return"] and answer["return"] != SCRIPT_FAILED:
                return answer
            version = answer.get("version", "")
            if not answer["return"] and version not in ("", -1) and self.fits(str(version), env):
                good.append(path)
        return {"return": 0, "found_files": good}

    def _pick(self, files: list[str], *, default: bool) -> int:
        if default:
            return 0
        listed = "\n".join(f"  {number}) {path}" for number, path in enumerate(files))
        answer = self.ask(f"More than 1 path found:\n{listed}\n  Make your selection or press Enter for 0: ")
        number = int(answer) if answer and answer.strip().isdecimal() else 0
        return number if number < len(files) else 0

    def get_default_path_list(self, i: Answer) -> list[str]:
        """The folders of a search variable such as PATH, in the environment that scripts start with."""
        name = i.get("default_path_env_key") or ""
        return self.scripts.process_state.environ.get(name, "").split(":") if name else []

    def find_file_deep(self, i: Answer) -> Answer:
        """Folders below `paths` that have a file with the name. `restrict_paths` keeps only paths that contain one
        of its texts."""
        wanted = i.get("restrict_paths") or []
        found = [
            str(path.parent)
            for root in i["paths"]
            if Path(root).is_dir()
            for path in sorted(Path(root).rglob(i["file_name"]))
            if path.is_file()
        ]
        if wanted:
            found = [path for path in found if any(part in path for part in wanted)]
        return {"return": 0, "found_paths": found}

    def find_file_back(self, i: Answer) -> Answer:
        """The folder at `path` or above that has a file with the name; an empty text when there is none."""
        start = Path(i["path"])
        for folder in (start, *start.parents):
            if (folder / i["file_name"]).is_file():
                return {"return": 0, "found_path": str(folder)}
        return {"return": 0, "found_path": ""}


def _files_like(folder: str, name: str, pattern: str | None) -> Iterable[str]:
    import glob

    place = Path(folder) if folder else Path("/nonexistent")
    if not place.is_dir():
        return []
    if pattern:
        return [str(path) for path in place.iterdir() if re.match(pattern, path.name)]
    base = glob.escape(folder.rstrip("/") or "/") + "/" + glob.escape(name)
    exact = [f"{folder}/{name}".replace("//", "/")] if (place / name).exists() else []
    if any(letter in name for letter in "*?["):
        base = f"{glob.escape(folder)}/{name}"
        exact = sorted(glob.glob(base))  # noqa: PTH207 - a pattern with a folder in front
    return [
        *exact,
        *(path for suffix in (*NUMBERED[1:], *VERSIONED) for path in sorted(glob.glob(base + suffix))),  # noqa: PTH207
    ]
