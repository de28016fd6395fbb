"""The records of a run that the user requested: versions, direct dependencies, env scripts, a readme."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from assay.recipes.contract import shell
from assay.recipes.contract.flags import is_on
from assay.recipes.contract.secrets import hidden, hidden_words
from assay.recipes.run.context import Answer, Context, Inputs
from assay.recipes.run.runner import Runner
from assay.recipes.run.session import RunSession


def write_records(context: Context, runner: Runner, inputs: Inputs, answer: Answer, *, strict: bool) -> None:
    """Writes and prints the records that the flags of a top-level run request. Adds `print_deps` to `answer`."""

    def on(name: str) -> bool:
        return is_on(inputs, name, strict=strict)

    session: RunSession = runner.last
    tool = context.dialect.name
    if on("print_deps"):
        commands = [f"{context.dialect.run_with_tags}{tags}" for tags in answer.get("deps") or []]
        for command in commands:
            session.info(command)
        answer.setdefault("new_state", {})["print_deps"] = commands
    if on("print_readme"):
        from assay.ground.files import write_text

        write_text(Path(f"README-{tool}.md"), readme(tool, inputs, session))
    if on("dump_version_info"):
        from assay.ground.files import write_json

        for name in (f"{tool}-run-script-versions.json", "version_info.json"):
            write_json(Path(name), session.version_info)
    if on("print_versions"):
        for line in version_lines(session):
            session.info(line)
    if on("save_env") or on("shell"):
        state = answer.get("state") or {}
        lines = [
            *shell.SHEBANG,
            *map(str, state.get("script_prefix") or []),
            *shell.export_lines(answer["new_env"]),
        ]
        shell.write_script(Path(shell.ENV_FILE), lines)
    if on("shell"):
        subprocess.run(
            ["bash", "--init-file", shell.ENV_FILE], env=session.process_state.environ, check=False
        )
    if on("json") or on("j"):
        for line in ("INFO:root:" + as_json(hidden(answer))).splitlines():
            context.console.note(line)
    if inputs.get("lock"):
        from assay.recipes.tools.lock import write_lock

        write_lock(Path(str(inputs["lock"])), context, inputs, session, answer)


def version_lines(session: RunSession) -> list[str]:
    """The versions as lines, one per recipe that has a version."""
    found = [(tags, one["version"]) for record in session.version_info for tags, one in record.items()]
    listed = [f"* {tags}: {version}" for tags, version in found if version]
    return ["=" * 25, "Versions of dependencies:", *listed, "=" * 25]


def readme(tool: str, inputs: Inputs, session: RunSession) -> str:
    """A README with the command of `tool` (cm, mlc) to run this again, and the recipes that ran."""
    import shlex

    command = shlex.join([tool, "run", "script", *hidden_words(inputs.get("cmd") or [])])
    steps = "\n".join(f"{'  ' * step.depth}* {step.tags} {step.version}".rstrip() for step in session.steps)
    return f"# Recipe run\n\n```bash\n{command}\n```\n\n## Recipes that ran\n\n{steps}\n"


def as_json(value: Any) -> str:
    """Indented JSON with sorted keys. Members that JSON cannot represent are left out."""
    return json.dumps(_serialisable(value), indent=2, sort_keys=True)


def _serialisable(value: Any) -> Any:
    if hasattr(value, "as_json"):
        return _serialisable(value.as_json())
    if isinstance(value, dict):
        return {str(k): _serialisable(v) for k, v in value.items() if _has_form(v)}
    if isinstance(value, (list, tuple)):
        return [_serialisable(item) for item in value if _has_form(item)]
    return value


def _has_form(value: Any) -> bool:
    return (
        value is None
        or hasattr(value, "as_json")
        or isinstance(value, (dict, list, tuple, str, int, float, bool))
    )
