"""Native scripts: which file runs, how it gets variables, and how its results are read."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from assay.recipes.contract import secrets
from assay.recipes.contract.dialect import Dialect
from assay.recipes.errors import RecipeFault
from assay.recipes.values import Given, Values

if TYPE_CHECKING:
    from assay.recipes.contract.script_output import ScriptOutput

RUN_FILE, STATE_FILE = "tmp-run.sh", "tmp-state.json"
NEW_STATE_FILE, NEW_ENV_FILE, VERSION_FILE = "tmp-run-state.json", "tmp-run-env.out", "tmp-ver.out"
ENV_FILE, ALL_ENV_FILE = "tmp-env.sh", "tmp-env-all.sh"
WORKING_FILES = (NEW_STATE_FILE, NEW_ENV_FILE, VERSION_FILE, ENV_FILE, ALL_ENV_FILE, STATE_FILE, RUN_FILE)
SHEBANG = ["#!/bin/bash", ""]
# Time for a script to end by itself after Ctrl-C (which it gets too), and again after we end it.
END_SECONDS = 0.25

# Inside double quotes: an escape that a recipe wrote on purpose, a reference to a variable, or a character that
# would end the quotes or start a command.
_PIECE = r'(\\["$`\\])|(\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\}))|(["$`])|(\\\Z)'
_SPECIAL = frozenset('"$`\\')


class ScriptEnded(NamedTuple):
    """How a native script ended: its wait status and, if it failed, the end of its output."""

    status: int
    printed: bytes
    problem: str  # why the output was not fully passed on or stored; empty = no problem


def quoted(value: str) -> str:
    """A value in double quotes for bash. `$NAME` and `${NAME}` still refer to variables; nothing else is special.

    CM writes values between double quotes without changes. Recipes rely on that: they refer to variables and escape
    quotes (`\\"`). Both still work. All that could end the quotes or run a command is escaped.
    """
    if _SPECIAL.isdisjoint(value):
        return f'"{value}"'
    return '"' + re.sub(_PIECE, lambda m: m[0] if m[1] or m[2] else "\\" + m[0], value) + '"'


def export_lines(env: Given) -> list[str]:
    """One `export` line per variable, sorted. The list of `+KEY` is put in front of the value of KEY. Secrets are
    left out."""
    lines = []
    env, _ = secrets.apart(env)
    for name in sorted(env):
        value = env[name]
        key = name
        if name.startswith("+"):
            key, separator = name[1:], ":"
            if key and not key[0].isalnum():
                separator, key = key[0], key[1:]
            value = separator.join(str(item) for item in [*value, "${" + key + "}"])
        if not (key.isascii() and key.isidentifier()):
            continue  # bash has no variable of that name: CM's line would be a syntax error
        lines.append(f"export {key}={quoted(str(value))}")
    return lines


def script_for(folder: Path, name: str, env: Given, dialect: Dialect) -> Path | None:
    """The script with this name that fits the detected system best; None when the folder has none."""
    flavor, version, machine = (
        str(env.get(dialect.key(key), ""))
        for key in ("HOST_OS_FLAVOR", "HOST_OS_VERSION", "HOST_PLATFORM_FLAVOR")
    )
    suffixes = [
        f"-{flavor}-{version}-{machine}",
        f"-{flavor}-{machine}",
        f"-{flavor}-{version}",
        f"-{flavor}",
    ]
    suffixes += [f"-{env.get(dialect.key(key), '')}" for key in dialect.script_suffixes]
    suffixes += [f"-{machine}", ""]
    return next((path for s in suffixes if (path := folder / f"{name}{s}.sh").is_file()), None)


def write_script(path: Path, lines: Iterable[str]) -> None:
    """Writes these lines to a file that only its owner can read, write and execute."""
    _write_private(path, "\n".join(lines).rstrip("\n") + "\n", stat.S_IRWXU)


def run_script(
    script: Path,
    env: Given,
    state: Values,
    host_env: Mapping[str, str],
    keep: bool = False,
) -> ScriptEnded:
    """Runs a native script in the current folder with these variables.

    Its process starts with the environment `host_env`. With `keep`, a script that runs it without the runner stays
    in the folder.
    """
    from assay.recipes.contract.script_output import ScriptOutput

    for name in (NEW_STATE_FILE, NEW_ENV_FILE):
        Path(name).unlink(missing_ok=True)
    write_state(state)
    prefix = [str(line) for line in state.get("script_prefix") or []]
    lines = [*SHEBANG, *prefix, *export_lines(env), "", f". {quoted_path(script)}"]
    write_script(Path(RUN_FILE), lines)
    if keep:
        write_script(Path("tmp-run-without-cm.sh"), lines)
    command, environ = ["bash", "-c", f". ./{RUN_FILE}"], {**host_env, **secrets.apart(env)[1]}
    with ScriptOutput() as output:
        status = _waited(command, environ, output)
        for name in (NEW_STATE_FILE, NEW_ENV_FILE):  # the script may have put a secret there
            with contextlib.suppress(FileNotFoundError):
                Path(name).chmod(stat.S_IRUSR | stat.S_IWUSR)
        return ScriptEnded(status, output.kept() if status else b"", output.problem)


def _waited(command: list[str], environ: Mapping[str, str], output: ScriptOutput) -> int:
    """Runs a command and passes on what it writes. Returns its exit status. When this process is interrupted meanwhile,
    the command has END_SECONDS to end; then it is ended with its children."""
    import subprocess

    from assay.recipes.contract.script_output import has_ended

    out, err = output.ends()
    with subprocess.Popen(command, env=environ, stdout=out, stderr=err) as process:
        output.started()
        try:
            output.pass_on(process.pid)
            process.wait()
        except BaseException:
            try:
                output.pass_on(process.pid, END_SECONDS)
            finally:
                if not has_ended(process.pid):
                    end_with_children(process.pid)
            output.pass_on(process.pid, END_SECONDS)
            raise
        return process.returncode


def _write_private(path: Path, text: str, mode: int = stat.S_IRUSR | stat.S_IWUSR) -> None:
    """The file has its mode before anything is in it."""
    path.touch()
    path.chmod(mode)
    path.write_text(text, encoding="utf-8")


def write_state(state: Values) -> None:
    """Writes the state to a file for scripts and hooks. A cache entry keeps that file."""
    _write_private(Path(STATE_FILE), state_as_json(state))


def state_as_json(state: Values) -> str:
    if not state:  # most recipes of MLC; the next is CM's. Saves the import of json in a small run
        return "{}"
    if state == {"docker": {}}:
        return '{\n  "docker": {}\n}'
    from assay.recipes.contract.json_text import json_text

    return json_text(state)


def end_with_children(pid: int) -> None:
    """Ends a process and its descendants. Ctrl-C reaches them all, but a signal to one process does not."""
    import signal

    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        os.kill(pid, signal.SIGTERM)
        for child in children:
            end_with_children(int(child))


def quoted_path(path: Path) -> str:
    """A path as one literal word of bash."""
    text = str(path)
    return "'" + text.replace("'", "'\\''") + "'"


def new_state() -> Values:
    """The state that the script wrote to `tmp-run-state.json`. Raises: RecipeFault (4) when it does not parse."""
    path = Path(NEW_STATE_FILE)
    if not path.is_file():
        return {}

    from assay.ground.parsed import json_value

    try:
        value = json_value(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecipeFault(f"{path.absolute()} does not parse: {error}", 4) from error
    return value if isinstance(value, dict) else {}


def new_env() -> dict[str, str]:
    """The variables that the script wrote to `tmp-run-env.out` as `KEY=value` lines. A value may contain equal
    signs."""
    path = Path(NEW_ENV_FILE)
    if not path.is_file():
        return {}
    pairs = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, equals, value = line.partition("=")
        if equals:
            pairs[key.strip()] = value.strip()
    return pairs


def status_words(status: int) -> str:
    """An exit status in words: `exit 2`, `exit 137: killed by SIGKILL (out of memory?)`."""
    import signal

    status = 128 - status if status < 0 else status  # bash's number for a child ended by a signal
    try:
        name = signal.Signals(status - 128).name
    except ValueError:
        return f"exit {status}"
    return f"exit {status}: killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def clean(names: Iterable[str]) -> None:
    """Remove working files from the current folder."""
    for name in names:
        path = Path(name)
        if path.is_file():
            path.unlink()


def host_info(dialect: Dialect) -> Values:
    """The `os_info` of hooks. MLC adds the type of the system and the variables that every env has."""
    bits = "64" if sys.maxsize > 2**32 else "32"
    info: Values = {
        "platform": "linux" if os.name != "nt" else "windows",
        "bat_ext": ".sh",
        "set_env": 'export ${key}="${value}"',
        "env_separator": ":",
        "env_var": "${env_var}",
        "bat_rem": "# ${rem}",
        "run_local_bat": ". ./${bat_file}",
        "run_local_bat_from_python": 'bash -c ". ./${bat_file}"',
        "run_bat": ". ${bat_file}",
        "start_script": list(SHEBANG),
        "set_exec_file": 'chmod 755 "${file_name}"',
        "bits": bits,
        "python_bits": bits,
        "env": {},
    }
    return info | dialect.os_info()
