"""Every way by which a file of a stranger comes in: good files once, and the commands that read them."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from assay.cli import main
from assay.mlperf.data import dataset
from assay.mlperf.data.dataset_file import write_columns
from tests import published
from tests.end_to_end import rows
from tests.mlperf import run_folder
from tests.mlperf.scoring.conftest import write_log

ROW = {
    "dataset": "GSM8K",
    "id": "train.1",
    "input": "<s> q",
    "gt_output": "7",
    "question": "q",
    "tok_input": [1, 3],
    "tok_ref_output": [4, 5],
    "tok_stop_sequence": [2],
}
ROWS = [ROW, ROW | {"dataset": "OpenOrca", "id": "flan.1", "gt_output": "a cat"}]
RUN_YAML = """
workload: mixtral-8x7b
sut: echo
scenario: [offline, server]
limits: {samples: 4, min_duration_s: 1s}
paths: {checkpoint: model, dataset: set.jsonl, out: out}
submission: {submitter: Tester, division: open}
"""
RECIPE = {
    "alias": "small",
    "uid": "00000000000000bb",
    "automation_alias": "script",
    "automation_uid": "5b4e0237da074764",
    "tags": ["small", "one"],
    "env": {"A": "1"},
    "deps": [{"tags": "other"}],
    "input_mapping": {"a": "A"},
    "variations": {"x": {"env": {"B": "2"}, "group": "g", "default": True}},
    "versions": {"1": {"env": {"C": "3"}}},
}


@dataclass(frozen=True)
class Door:
    """A command and the files of a stranger that it reads, as names or patterns below the folder of all good files."""

    words: tuple[str, ...]
    files: tuple[str, ...]


DOORS = (
    *(Door(("dataset", "inspect", name), (name,)) for name in ("set.jsonl", "set.pkl", "set.parquet")),
    *(
        Door(("dataset", "inspect", name), (name,))
        for name in ("set.pkl.gz", "set.pkl.xz", "set.pkl.zip", "set.pkl.bz2")
    ),
    *(
        Door(("dataset", "convert", f"set.{kind}", f"new.{other}"), (f"set.{kind}",))
        for kind, other in (("jsonl", "parquet"), ("pkl", "jsonl"), ("parquet", "pkl"))
    ),
    Door(
        (
            *("dataset", "build", "--gsm8k", "gsm8k.jsonl", "--mbxp", "mbxp", "--instruct", "instruct.jsonl"),
            *("--tokenizer", "model", "--samples", "3", "--out", "new.jsonl"),
        ),
        ("gsm8k.jsonl", "mbxp/*", "instruct.jsonl"),
    ),
    Door(
        ("score", "--log", "log.json", "--dataset", "set.jsonl", "--tokenizer", "model", "--json"),
        ("log.json", "set.jsonl", "model/tokenizer.json", "model/tokenizer_config.json"),
    ),
    Door(("check", "tree", "--round", "v5.1"), ("tree/**/*",)),
    Door(("check", "tree.tar.gz", "--round", "v5.1"), ("tree.tar.gz",)),
    Door(("audit", "report.md"), ("report.md",)),
    Door(("audit", "run"), ("run/**/*",)),
    Door(
        (
            "submit",
            "run",
            "--submitter",
            "T",
            "--out",
            "new",
            "--system",
            "box",
            "--system-file",
            "system.toml",
            "--calibration",
            "report.md",
        ),
        ("run/**/*", "system.toml", "report.md"),
    ),
    Door(("compliance", "run", "--verify", "log.json"), ("run/result.json", "log.json")),
    Door(("plan", "--config", "run.yaml"), ("run.yaml", "set.jsonl", "model/*")),
    Door(("plan", "mixtral-8x7b", "--checkpoint", "model", "--dataset", "set.jsonl", "--json"), ("model/*",)),
    Door(("model", "random", "--config", "model/config.json", "--out", "set.jsonl"), ("model/config.json",)),
    Door(("recipe", "lint", "repo"), ("repo/**/*.json", "repo/*.yaml")),
    Door(
        ("recipe", "plan", "--tags=small"),
        ("CM/repos/t@small/**/*.json", "CM/repos/t@small/*.yaml", "CM/repos.json"),
    ),
    Door(
        ("find", "script", "--tags=small"),
        ("CM/repos/t@small/**/*.json", "CM/repos/t@small/*.yaml", "CM/repos.json"),
    ),
    Door(
        ("run", "script", "--tags=small", "--fake_run", "@in.json"), ("in.json", "CM/repos/t@small/**/*.json")
    ),
    Door(("run", "script", "--tags=small", "--fake_run", "@in.yaml"), ("in.yaml",)),
    Door(("recipe", "reproduce", "lock.json"), ("lock.json",)),
    Door(("unpack", "repo", "repo.zip", "fresh"), ("repo.zip",)),
)


def write_good_files(root: Path) -> None:
    """One good file of each kind; what takes long is made once, here."""
    import pandas

    columns = dataset.columns_of(ROWS)
    for kind in ("jsonl", "pkl", "parquet"):
        write_columns(root / f"set.{kind}", columns)
    for packing in ("gz", "xz", "zip", "bz2"):
        pandas.DataFrame(columns).astype({"dataset": "category"}).to_pickle(root / f"set.pkl.{packing}")
    (root / "gsm8k.jsonl").write_text(
        json.dumps({"question": "q", "answer": "1 + 1 = <<1+1=2>>2\n#### 2"}) + "\n"
    )
    (root / "instruct.jsonl").write_text(
        json.dumps({"id": "flan.1", "system_prompt": "", "question": "q", "response": "r"}) + "\n"
    )
    (root / "mbxp").mkdir()
    program = {"task_id": "MBPP/1", "language": "python", "prompt": "def f():\n", "entry_point": "f"}
    (root / "mbxp" / "mbpp.jsonl").write_text(
        json.dumps({**program, "test": "def check(f): pass", "canonical_solution": "    return 1\n"}) + "\n"
    )
    (root / "model").mkdir()
    rows.tokenizer(root / "model")
    write_log(root / "log.json", [(0, [3, 4]), (1, [4, 5])])
    run_folder.write(root / "run")
    (root / "report.md").write_text(
        (root / "run" / "README.md").read_text()
        if (root / "run/README.md").exists()
        else "\n".join([*published.COMMAND, *published.ACCURACY])
    )
    (root / "system.toml").write_text('status = "available"\n[box]\ncooling = "air"\n')
    submitted = [
        "submit",
        str(root / "run"),
        "--submitter",
        "T",
        "--division",
        "closed",
        "--round",
        "v5.1",
        "--system",
        "box",
    ]
    assert main([*submitted, "--out", str(root / "tree")]) == 0
    (root / "run.yaml").write_text(RUN_YAML)
    for repository in (root / "repo", root / "CM" / "repos" / "t@small"):
        (repository / "script" / "small").mkdir(parents=True)
        (repository / "script" / "small" / "_cm.json").write_text(json.dumps(RECIPE))
        (repository / "cmr.yaml").write_text("alias: t@small\nuid: 00000000000000aa\n")
    (root / "CM" / "repos.json").write_text(json.dumps([str(root / "CM" / "repos" / "t@small")]))
    (root / "in.json").write_text('{"env": {"A": "1"}, "tags": "small"}')
    (root / "in.yaml").write_text("env: {A: 1}\ntags: small\n")
    (root / "lock.json").write_text(
        json.dumps({"format": 1, "request": {"tags": "small"}, "recipes": [], "repositories": []})
    )
    with zipfile.ZipFile(root / "repo.zip", "w") as archive:
        archive.writestr("cmr.yaml", "alias: z\nuid: 00000000000000cc\n")
        archive.writestr("script/a/_cm.json", json.dumps(RECIPE))


def lay_out(good: Path, door: Door, place: Path) -> None:
    """What the door needs of the good files, and nothing else, in the working folder `place`."""
    for left in place.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()
    tops = {name.split("/")[0] for name in (*door.words, *door.files)} | {"CM"}
    for top in tops:
        if (good / top).is_dir():
            shutil.copytree(good / top, place / top)
        elif (good / top).is_file():
            shutil.copyfile(good / top, place / top)
    (place / "CM" / "repos.json").write_text(json.dumps([str(place / "CM/repos/t@small")]))
