"""A `customize.py` is loaded and its functions are called; the process is as it was afterwards."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.recipes.contract import hooks
from assay.recipes.contract.hooks import HookProcessState, Hooks, load_hooks
from assay.recipes.errors import RecipeFailed


def loaded(folder: Path, text: str, state: HookProcessState | None = None, access: Any = None) -> Hooks:
    (folder / "customize.py").write_text(text)
    found = load_hooks(folder, state or HookProcessState({"PATH": os.environ["PATH"]}), access)
    assert found is not None
    return found


def hook(folder: Path, body: str) -> Hooks:
    return loaded(folder, f"def preprocess(i):\n    {body}\n")


def test_a_recipe_without_the_file_has_no_hooks(tmp_path: Path) -> None:
    assert load_hooks(tmp_path, HookProcessState({}), None) is None


def test_only_functions_are_hooks(tmp_path: Path) -> None:
    found = loaded(tmp_path, "postprocess = 3\ndef preprocess(i): pass\n")
    assert [found.has(name) for name in ("preprocess", "postprocess", "detect_version")] == [
        True,
        False,
        False,
    ]


def test_each_load_starts_with_fresh_values(tmp_path: Path) -> None:
    text = "seen = []\ndef preprocess(i):\n    seen.append(1)\n    return {'return': 0, 'n': len(seen)}\n"
    first = loaded(tmp_path, text)
    assert [first.call("preprocess", {})["n"] for _ in range(2)] == [1, 2]
    assert loaded(tmp_path, text).call("preprocess", {})["n"] == 1


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("pass", {"return": 0}),
        ("return {}", {}),
        ("return {'return': 0, 'version': i['v']}", {"return": 0, "version": "1"}),
    ],
)
def test_an_answer_is_handed_on_and_none_means_success(body: str, answer: Any, tmp_path: Path) -> None:
    assert hook(tmp_path, body).call("preprocess", {"v": "1"}) == answer


@pytest.mark.parametrize(
    ("body", "number", "words"),
    [
        ("return {'return': 7, 'error': 'no gcc'}", 7, "no gcc"),
        ("return {'return': 7}", 7, "returned 7"),
        ("return {'return': 'bad'}", 1, "returned 'bad'"),
        ("return 'text'", 1, "returned str, not a dictionary"),
        ("return 0", 1, "returned int, not a dictionary"),
        ("import sys; sys.exit(4)", 4, "called sys.exit(4)"),
        ("import sys; sys.exit()", 1, "called sys.exit(None)"),
        ("import sys; sys.exit('words')", 1, "called sys.exit('words')"),
        ("return i['nothing']", 1, "raised KeyError: 'nothing' (line 2)"),
        ("import json; json.loads('{')", 1, "(line 2)"),
    ],
)
def test_every_way_to_fail_is_a_fault_with_a_number_and_the_step(
    body: str, number: int, words: str, tmp_path: Path
) -> None:
    with pytest.raises(RecipeFailed) as caught:
        hook(tmp_path, body).call("preprocess", {})
    assert caught.value.code == number and words in caught.value.message
    assert caught.value.step == f"preprocess in {tmp_path}/customize.py"


def test_a_fault_of_what_a_hook_ran_keeps_what_that_printed(tmp_path: Path) -> None:
    inner = RecipeFailed("script failed", 2, output=b"its last words")
    found = loaded(
        tmp_path,
        "import cmind\ndef preprocess(i):\n    return cmind.access({'action': 'run'})\n",
        access=lambda request, out=None: inner.answer(),
    )
    with pytest.raises(RecipeFailed) as caught:
        found.call("preprocess", {})
    assert (caught.value.code, caught.value.output) == (2, b"its last words")


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("def preprocess(i:\n", "SyntaxError", ""),
        ("import no_such_module_here\n", "ModuleNotFoundError", "a dependency brings no_such_module_here"),
        ("import sys; sys.exit(3)\n", "called sys.exit while it was imported", ""),
        ("1 / 0\n", "ZeroDivisionError", ""),
        ("\x00", "ull bytes", ""),
    ],
)
def test_a_file_that_cannot_be_imported_is_named(text: str, words: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeFailed) as caught:
        loaded(tmp_path, text)
    assert caught.value.code == 1 and words in caught.value.message and hint in caught.value.hint
    assert str(tmp_path / "customize.py") in caught.value.message


@pytest.mark.parametrize("name", ["cmind", "mlc"])
def test_access_leads_to_the_run_that_the_hook_belongs_to(name: str, tmp_path: Path) -> None:
    text = f"def preprocess(i):\n    import {name}\n    return {{'return': 0, 'got': {name}.access('x')}}\n"
    state = HookProcessState({"PATH": os.environ["PATH"]})
    for times in (2, 3):  # the modules stay loaded from one hook to the next
        found = loaded(tmp_path, text, state, lambda asked, times=times: asked * times)
        assert found.call("preprocess", {})["got"] == "x" * times


# ---------------------------------------------------------------------- the process


def test_folder_path_and_environment_are_put_back_and_kept_for_the_next(tmp_path: Path) -> None:
    (tmp_path / "brought").mkdir()
    (tmp_path / "brought" / "brought_module_of_a_hook.py").write_text("VALUE = 5\n")
    before = (
        Path.cwd(),
        list(sys.path),
        dict(os.environ),
        {n: sys.modules.get(n) for n in hooks.SHIM_MODULES},
    )
    state = HookProcessState({"PATH": os.environ["PATH"], "OLD": "1"})
    first = loaded(
        tmp_path,
        "import os, sys\n"
        "def preprocess(i):\n"
        f"    os.chdir({str(tmp_path)!r})\n"
        f"    sys.path.insert(0, {str(tmp_path / 'brought')!r})\n"
        "    os.environ['NEW'] = '2'; os.environ.pop('OLD', None)\n"
        "    import cmind, mlc, utils\n",
        state,
    )
    first.call("preprocess", {})
    first.call("preprocess", {})
    after = (
        Path.cwd(),
        list(sys.path),
        dict(os.environ),
        {n: sys.modules.get(n) for n in hooks.SHIM_MODULES},
    )
    assert after == before
    assert state.environ == {"PATH": os.environ["PATH"], "NEW": "2"}
    assert state.extra_path == [str(tmp_path / "brought")]
    later = loaded(
        tmp_path,
        "import os, brought_module_of_a_hook as m\n"
        "def preprocess(i): return {'return': 0, 'got': [m.VALUE, os.environ['NEW'], 'OLD' in os.environ]}\n",
        state,
    )
    assert later.call("preprocess", {})["got"] == [5, "2", False]


def test_a_hook_that_raises_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    before = (Path.cwd(), list(sys.path), dict(os.environ))
    found = hook(
        tmp_path, f"import os; os.chdir({str(tmp_path)!r}); os.environ['X'] = '1'; raise OSError('x')"
    )
    with pytest.raises(RecipeFailed):
        found.call("preprocess", {})
    assert (Path.cwd(), list(sys.path), dict(os.environ)) == before


NAMES = st.dictionaries(
    st.sampled_from(["ASSAY_T_A", "ASSAY_T_B", "ASSAY_T_C"]), st.text("xy", max_size=2), max_size=3
)


@given(NAMES, NAMES)
def test_inside_the_environment_is_the_hooks_and_outside_it_is_ours(
    ours: dict[str, str], theirs: dict[str, str]
) -> None:
    before = dict(os.environ)
    os.environ.update(ours)
    try:
        outside = dict(os.environ)
        state = HookProcessState(theirs)
        with state.applied():
            assert dict(os.environ) == theirs
        assert dict(os.environ) == outside and state.environ == theirs
    finally:
        for name in ours:
            del os.environ[name]
    assert dict(os.environ) == before
