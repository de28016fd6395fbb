"""The shell in which the commands of a page are typed: `assay` is this source, and one run is shared by all pages."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = {"assay bench --out run": "run", "assay bench --sut echo --samples 30 --out trial": "trial"}
"""Commands that several pages begin with, and the folder that each makes: run once, then copied."""
PORT = "8000"
"""Of the servers on the pages; here a free one."""
START_S = 120


class Typed:
    """One page being typed, in its own folder."""

    def __init__(self, folder: Path, env: Mapping[str, str], kept: Path, port: int) -> None:
        self.folder, self._env, self._kept, self._port = folder, env, kept, port
        self.servers: list[subprocess.Popen[bytes]] = []

    def __call__(self, command: str) -> str:
        """What it prints on stdout, and on stderr where it fails. Exit codes other than 0 must be shown by the page."""
        made = SHARED.get(command)
        if made and (self._kept / made).is_dir():
            shutil.copytree(self._kept / made, self.folder / made)
            return (self._kept / f"{made}.txt").read_text()
        command = command.replace(f":{PORT}", f":{self._port}").replace(
            f"--port {PORT}", f"--port {self._port}"
        )
        if command.endswith(" &"):
            return self._serve(command.removesuffix(" &"))
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        if made:
            shutil.copytree(self.folder / made, self._kept / made)
            (self._kept / f"{made}.txt").write_text(done.stdout)
        return done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _serve(self, command: str) -> str:
        """Start what ends with ` &`, and wait until it listens."""
        with (self.folder / "server.log").open("wb") as log:
            server = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self._env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.servers.append(server)
        until = time.monotonic() + START_S
        while time.monotonic() < until and server.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return ""
            time.sleep(0.05)
        raise AssertionError(f"{command} does not listen: {(self.folder / 'server.log').read_text()}")

    def end(self) -> None:
        for server in self.servers:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


class Shell:
    """Makes a `Typed` for each page. `kept` holds the shared runs."""

    def __init__(self, kept: Path, store: Path) -> None:
        self._kept = kept
        programs = kept / "bin"
        programs.mkdir()
        (programs / "assay").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m assay "$@"\n')
        (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        for program in programs.iterdir():
            program.chmod(0o755)
        self._env = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("CM_", "MLC_", "COLUMNS"))
            },
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "ASSAY_HOME": str(store),
            "HOME": str(kept),
            "NO_COLOR": "1",
        }

    @contextmanager
    def at(self, folder: Path) -> Iterator[Typed]:
        folder.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        typed = Typed(folder, self._env, self._kept, port)
        try:
            yield typed
        finally:
            typed.end()
