"""No value under any key of a description or an input file ends in a traceback: an answer, or a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from assay.ground.errors import AssayError
from assay.recipes.contract.flags import DEPENDENCY_INPUTS, NESTED, RUNNER_INPUTS
from assay.recipes.contract.keys import DEPENDENCY_KEYS, RECIPE_KEYS, VARIATION_KEYS, VERSION_KEYS
from tests.recipes.conftest import Kit

VALUES = """
5|1.5|-1|.nan|true|null|2024-01-01|!!binary aGk=|!!set {a}|x|""|"<<<"|"*"|"a 'b"|[]|[a]|[1, 2]|[[a]]|[null]|[{a: b}]
|[{tags: 5}]|[{tags: [a]}]|[{tags: leaf, names: 5}]|[{tags: leaf, names: {a: b}}]|{}|{a: b}|{a: 5}|{1: 2}|{true: x}
|{a: null}|{a: [b]}|{a: {b: c}}|{a: {1: c, d: e}}|{? [a, b] : c}|{_v: 1}
""".replace("\n", "").split("|")
DOCKER_KEYS = [
    "deps",
    "mounts",
    "port_maps",
    "pre_run_cmds",
    "build_env",
    "env",
    "os",
    "os_version",
    "base_image",
    "image_name",
    "image_repo",
    "image_tag",
    "image_tag_extra",
    "path",
    "extra_sys_deps",
    "real_run",
    "run",
    "cm_repo",
    "cm_repo_branch",
    "cm_repo_flags",
    "tool",
    "use_host_user_id",
    "detached",
    "interactive",
    "all_gpus",
    "privileged",
    "device",
    "shm_size",
    "mount_current_dir",
    "extra_run_args",
    "run_cmd_prefix",
    "skip_run_cmd",
]
REPOSITORY_KEYS = [
    "alias",
    "uid",
    "prefix",
    "git",
    "desc",
    "deps",
    "version",
    "min_cm_version",
    "install_python_requirements",
]
INPUT_KEYS = sorted(
    {*RUNNER_INPUTS, *NESTED, *DEPENDENCY_INPUTS, "new_tags", "meta", "in", "name", "version", "path", "1"}
)
OWN = {"alias": "alias: wrong\n", "uid": "uid: aaaabbbbccccdddd\n", "tags": "tags: [wrong]\n"}
FORMS = {  # of a description with the key in question in one of its places
    "recipe": (RECIPE_KEYS, "{key}: {value}\n"),
    "variation": (VARIATION_KEYS, "variations: {{v: {{{key}: {value}}}}}\n"),
    "version": (VERSION_KEYS, "versions: {{'1': {{{key}: {value}}}}}\n"),
    "dependency": (DEPENDENCY_KEYS - {"tags"}, "deps: [{{tags: leaf, {key}: {value}}}]\n"),
    "tags of a dependency": ({"tags"}, "deps: [{{{key}: {value}}}]\n"),
    "container": (DOCKER_KEYS, "docker: {{{key}: {value}}}\n"),
}
LINES = """
run script --tags=wrong --quiet --user_python
run script --tags=wrong,_v --quiet --user_python --version=1 --in=1 --print_deps
run script --tags=wrong --help
docker script --tags=wrong --docker_dry_run --quiet
test script --tags=wrong --quiet
search script wrong
load script wrong
show script wrong
"""
REPOSITORY_LINES = "show repo\nfind repo\nfind script\nreindex repo\nrun script --tags=leaf --quiet"
INPUT_LINES = """
run script @in.yaml
run script --tags=leaf --quiet --user_python @in.yaml
docker script --tags=leaf --docker_dry_run @in.yaml
test script leaf @in.yaml
show script leaf @in.yaml
find script @in.yaml
show cache @in.yaml
find cache @in.yaml
update script leaf @in.yaml
load script leaf @in.yaml
"""
FEW = 61
"""Every 61st case is in the fast tests, of all values and all kinds of keys; the slow one takes them all."""


def of_descriptions() -> Iterator[tuple[str, str, str]]:
    """(name of the case, file below the repository, its text)."""
    for kind, (keys, form) in FORMS.items():
        for key, value in product(sorted(keys), VALUES):
            text = "".join(own for name, own in OWN.items() if kind != "recipe" or name != key)
            if key != "variations" and kind != "variation":
                text += "variations: {v: {}}\n"
            yield f"{kind}: {key}: {value}", "script/wrong/_cm.yaml", text + form.format(key=key, value=value)
    for key, value in product(REPOSITORY_KEYS, VALUES):
        yield f"repository: {key}: {value}", "cmr.yaml", f"{key}: {value}\n"


def bugs(kit: Kit, case: str, lines: str) -> Iterator[str]:
    for line in lines.strip().splitlines():
        try:
            os.chdir(kit.root / "work")  # where a failed command may have left it for another
            kit.perform(line.split())
        except AssayError as fault:
            assert str(fault)
        except Exception as problem:
            yield f"{case}: {line}: {problem!r}"


def shown(found: list[str]) -> str:
    return f"{len(found)} bugs\n" + "\n".join(found[:60])


def hold_descriptions(kit: Kit, every: int) -> None:
    kit.recipe("leaf")
    (kit.recipe("wrong", run="true\n") / "_cm.json").unlink()
    found = []
    for case, file, text in list(of_descriptions())[::every]:
        before = (kit.repository / "cmr.yaml").read_text()
        (kit.repository / file).write_text(text)
        found += bugs(kit, case, LINES if file != "cmr.yaml" else REPOSITORY_LINES)
        (kit.repository / "cmr.yaml").write_text(before)
    assert not found, shown(found)


def hold_inputs(kit: Kit, every: int) -> None:
    folder = kit.recipe("leaf", input_mapping={"in": "CM_IN"}, variations={"v": {}})
    before, found = (folder / "_cm.json").read_text(), []
    for key, value in list(product(INPUT_KEYS, VALUES))[::every]:
        Path("in.yaml").write_text(f"{key}: {value}\n")
        (folder / "_cm.json").write_text(before)
        found += bugs(kit, f"input: {key}: {value}", INPUT_LINES)
    assert not found, shown(found)


def test_a_misshapen_description_ends_in_a_sentence(kit: Kit) -> None:
    hold_descriptions(kit, FEW)


def test_a_misshapen_input_file_ends_in_a_sentence(kit: Kit) -> None:
    hold_inputs(kit, FEW)


@pytest.mark.slow
def test_no_misshapen_description_is_a_bug(kit: Kit) -> None:
    hold_descriptions(kit, int(os.environ.get("ASSAY_FUZZ_EVERY", "1")))


@pytest.mark.slow
def test_no_misshapen_input_file_is_a_bug(kit: Kit) -> None:
    hold_inputs(kit, int(os.environ.get("ASSAY_FUZZ_EVERY", "1")))
