# mypy: ignore-errors
# ruff: noqa: UP031
"""The part of `cmind` that recipes import. Inside a run, `access` is the runner itself. In a Python process that a
recipe starts, it calls the runner through its command line."""

from . import utils  # noqa: F401

__version__ = "4.2.0"


def access(i, out=None):
    """Performs an action, given as a dictionary or as the words of a command line."""
    import json
    import os
    import subprocess

    runner = os.environ.get("ASSAY_PYTHON")
    if not runner:
        return {"return": 1, "error": "cmind.access works inside a run of Assay only"}
    request = json.dumps(i)
    done = subprocess.run(
        [runner, "-m", "assay.recipes.actions.remote"],
        input=request,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"return": 1, "error": "the runner gave no answer (exit %d)" % done.returncode}
