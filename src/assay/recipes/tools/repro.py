"""`--repro`: the files that CM's users attach to a bug report: the request, the host and the result.

Source of names and contents: cmind 4.2.0 with the engine of cm4mlops at 3a601227. The files are in `cm-repro` or
`--repro_dir`, and begin with `cm-run-script` or `--repro_prefix`. `cm-output.json` is in the working folder. mlcflow
1.3.8 documents the same flags but writes no files; here they write the same files with MLC's names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from assay.recipes.contract.cm import parsed_names
from assay.recipes.contract.dialect import Dialect
from assay.recipes.contract.secrets import hidden
from assay.recipes.run.context import Answer, Inputs
from assay.recipes.run.given import repro_prefix
from assay.recipes.run.session import RunSession
from assay.recipes.tools.records import as_json, readme
from assay.recipes.values import Values

RECORDED = ("input", "info", "output", "run-state")


class Repro:
    """The files of one run. Files of an earlier run with the same names are removed first."""

    def __init__(self, dialect: Dialect, inputs: Inputs, folder: Path) -> None:
        tool = dialect.name
        self.tool = tool
        self.inputs = inputs
        self.folder = folder
        self.start = repro_prefix(tool, inputs, folder)
        self.output_file = folder / f"{tool}-output.json"
        self.kept: Values = {}

    def begin(self) -> None:
        """Write what is known before the run."""
        asked = {**self.inputs, **parsed_names(self.inputs)}
        for path in (self.output_file, self.folder / "version_info.json", *map(self._file, RECORDED)):
            path.unlink(missing_ok=True)
        self.kept = {"tmp_test_value": 10.0, "info": host(), "input": asked}
        self._write("input", asked)
        self._write("info", self.kept["info"])
        self._write_output()

    def end(self, answer: Answer, session: RunSession) -> None:
        """Writes the result. `answer` may be that of a failure."""
        state = session.run_state
        if not answer["return"]:
            self._text(f"-README-{self.tool}.md", readme(self.tool, self.inputs, session))
        self._write("input", self.kept["input"])  # written again: now it is known which options are secrets
        self._write("output", answer)
        self._write("run-state", state)
        self.kept |= {"output": answer, "state": {k: v for k, v in state.items() if k != "version_info"}}
        if (self.folder / "version_info.json").is_file():
            self.kept["version_info"] = {
                key: value for one in session.version_info for key, value in one.items()
            }
        if not answer["return"]:  # the badges of https://cTuning.org/ae
            self.kept |= {f"acm_ctuning_repro_badge_{name}": True for name in ("available", "functional")}
        self._write_output()

    def _file(self, name: str) -> Path:
        return self.start.with_name(f"{self.start.name}-{name}.json")

    def _write(self, name: str, value: Any) -> None:
        self._text(f"-{name}.json", as_json(hidden(value)) + "\n")

    def _write_output(self) -> None:
        from assay.ground.files import write_text

        write_text(self.output_file, as_json(hidden(self.kept)) + "\n")

    def _text(self, end: str, text: str) -> None:
        from assay.ground.files import write_text

        write_text(self.start.with_name(self.start.name + end), text)


def host() -> Values:
    """The machine and the time, with CM's names."""
    import datetime
    import platform
    import sys
    import uuid

    return {
        "host_os_name": os.name,
        "host_system": platform.system(),
        "host_os_release": platform.release(),
        "host_machine": platform.machine(),
        "host_architecture": platform.architecture(),
        "host_python_version": platform.python_version(),
        "host_sys_version": sys.version,
        "run_uid": uuid.uuid4().hex[:16],
        "run_iso_datetime": datetime.datetime.now(datetime.timezone.utc).isoformat(),
    }
