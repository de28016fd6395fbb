"""Writes the small recipes that own.txt and own-mlc.txt run: one rule each, in the format of CM or of MLC."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TRAIL = """def preprocess(i):
    i['state'].setdefault('own', []).append('preprocess')
    return {'return': 0}


def postprocess(i):
    i['state'].setdefault('own', []).append('postprocess')
    return {'return': 0}
"""
EXPORT = ["CM_OWN_*"]


def note(word: str) -> str:
    return f"def preprocess(i):\n    i['state'].setdefault('own', []).append('{word}')\n    return {{'return': 0}}\n"


def variation(**env: str) -> dict[str, Any]:
    return {"env": env}


RECIPES: dict[str, dict[str, Any]] = {
    "env": {
        "default_env": {"CM_OWN_D": "default"},
        "env": {"CM_OWN_E": "recipe", "CM_OWN_P": "<<<CM_OWN_D>>>/<<<CM_OWN_GONE>>>"},
        "input_mapping": {"size": "CM_OWN_E"},
    },
    "groups": {
        "variations": {
            "a": {"group": "g", "default": True, **variation(CM_OWN_G="a")},
            "b": {"group": "g", **variation(CM_OWN_G="b")},
        }
    },
    "base": {
        "variations": {"top": {"base": ["mid"]}, "mid": {"base": ["low"]}, "low": variation(CM_OWN_L="1")}
    },
    "combine": {
        "variations": {
            "x": variation(CM_OWN_C="x"),
            "y": variation(CM_OWN_C="y"),
            "x,y": {"env": {"CM_OWN_C": "both"}, "default_variations": {"g": "z"}},
            "z": {"group": "g", **variation(CM_OWN_Z="1")},
        }
    },
    "dynamic": {"variations": {"n.#": {"env": {"CM_OWN_N": "is #"}, "new_env_keys": ["CM_OWN_N"]}}},
    "alias": {"variations": {"short": {"alias": "long"}, "long": variation(CM_OWN_A="long")}},
    "order": {
        "deps": [{"tags": "own,note-deps"}],
        "prehook_deps": [{"tags": "own,note-pre"}],
        "posthook_deps": [{"tags": "own,note-posthook"}],
        "post_deps": [{"tags": "own,note-post"}],
        "new_state_keys": ["own"],
    },
    **{f"note-{word}": {"new_state_keys": ["own"]} for word in ("deps", "pre", "posthook", "post")},
    "conditions": {
        "deps": [
            {"tags": "own,env", "enable_if_env": {"CM_OWN_SWITCH": ["yes"]}},
            {"tags": "own,groups", "skip_if_env": {"CM_OWN_SWITCH": ["on"]}},
            {"tags": "own,base,_top", "enable_if_any_env": {"CM_OWN_SWITCH": ["no"], "CM_OWN_X": ["1"]}},
            {"tags": "own,alias,_short", "enable_if_env": {"CM_OWN_ABSENT": ["no"]}},
        ]
    },
    "child": {
        "env": {"CM_OWN_SEEN": "<<<CM_OWN_FROM>>>"},
        "variations": {"v": variation(CM_OWN_V="v"), "w": variation(CM_OWN_W="w")},
    },
    "parent": {
        "env": {"CM_OWN_FROM": "parent"},
        "deps": [{"tags": "own,child", "names": ["child"], "inherit_variation_tags": True}],
        "variations": {"v": {}},
    },
    "versions": {
        "default_version": "2.0",
        "versions": {"1.0": variation(CM_OWN_R="one"), "2.0": variation(CM_OWN_R="two")},
        "new_env_keys": ["CM_OWN_*", "CM_VERSION"],
    },
    "state": {
        "state": {"own": {"list": [1]}},
        "deps": [{"tags": "own,state-leaf"}],
        "new_state_keys": ["own"],
    },
    "state-leaf": {"state": {"own": {"list": [2]}}, "new_state_keys": ["own"]},
    "fails": {},
    "hookfails": {},
    "keep": {"cache": True, "variations": {"v": variation(CM_OWN_K="v"), "w": variation(CM_OWN_K="w")}},
    "user": {"deps": [{"tags": "own,keep,_v"}], "cache": True},
}
# What only MLC has.
MLC_RECIPES: dict[str, dict[str, Any]] = {
    "lasts": {
        "cache": True,
        "cache_expiration": "2h",
        "variations": {"long": {"cache_expiration": "10h"}, "never": {"cache_expiration": ""}},
        "deps": [],
    },
    "lasts-by-variation": {"cache": True, "variations": {"long": {"cache_expiration": "10h"}}},
    "plain-lasting": {"cache": True},
    "heirs": {
        "cache": True,
        "cache_expiration": "3h",
        "deps": [
            {"tags": "own,lasts", "inherit_cache_expiration": True},
            {"tags": "own,plain-lasting", "inherit_cache_expiration": True},
            {"tags": "own,lasts-by-variation", "cache_expiration": "4h"},
            {"tags": "own,lasts-by-variation,_long", "cache_expiration": "4h"},
        ],
    },
    "const": {"const": {"CM_OWN_C": "const"}, "variations": {"v": variation(CM_OWN_C="v")}},
    "version-tags": {
        "variations": {"version.#": variation(CM_OWN_R="any #"), "version.2": variation(CM_OWN_R="two")}
    },
    "soft": {"deps": [{"tags": "own,fails", "continue_on_error": True}, {"tags": "own,groups"}]},
    "tags-if": {
        "env": {"CM_OWN_LETTER": "v"},
        "deps": [
            {
                "tags": "own,child,_<<<CM_OWN_LETTER>>>",
                "update_tags_if_env": {"_w": {"enable_if_env": {"CM_OWN_BIG": ["yes"]}}},
            }
        ],
    },
    "if-env": {
        "update_meta_if_env": [
            {
                "enable_if_env": {"CM_OWN_BIG": ["yes"]},
                "env": {"CM_OWN_SIZE": "big"},
                "default_env": {"CM_OWN_MORE": "1"},
            }
        ],
        "env": {"CM_OWN_SIZE": "small"},
    },
    "cache-by-variation": {"variations": {"kept": {"cache": True}}},
    "predeps": {"deps": [{"tags": "own,groups", "enable_if_env": {"CM_OWN_BEFORE": ["yes"]}}]},
    "paths": {
        "input_mapping": {"place": "CM_OWN_PLACE"},
        "input_description": {"place": {"is_path": True}},
    },
    "lists": {
        "env": {"+CM_OWN_P": ["recipe"], "CM_OWN_L": ["recipe"]},
        "new_env_keys": ["CM_OWN_*", "+CM_OWN_*"],
        "variations": {
            "v": {"env": {"+CM_OWN_P": ["v", "recipe"], "CM_OWN_L": ["v"]}},
            "w": {"env": {"CM_OWN_L": ["w"]}},
            "v,w": {"env": {"CM_OWN_L": ["both"]}},
        },
    },
    "if-env-blocks": {
        "update_meta_if_env": [{"enable_if_env": {"CM_OWN_V": ["yes"]}, "env": {"CM_OWN_LAST": "recipe"}}],
        "variations": {
            "v": {
                "env": {"CM_OWN_V": "yes"},
                "update_meta_if_env": [
                    {
                        "enable_if_env": {"CM_OWN_V": ["yes"]},
                        "env": {"CM_OWN_LAST": "variation"},
                        "const": {"CM_OWN_C": "1"},
                        "adr": {"child": {"tags": "_w"}},
                    }
                ],
            }
        },
        "deps": [{"tags": "own,child", "names": ["child"]}],
    },
    "members": {
        "variations": {
            "n.#": {"group": "n", **variation(CM_OWN_N="#")},
            "x": {},
            "n.#,x": variation(CM_OWN_BOTH="#"),
        }
    },
}
HOOKS = {
    "order": TRAIL,
    "hookfails": "def preprocess(i):\n    return {'return': 7, 'error': 'no luck'}\n",
    "predeps": "def predeps(i):\n    i['env']['CM_OWN_BEFORE'] = 'yes'\n    return {'return': 0}\n",
    **{f"note-{word}": note(word) for word in ("deps", "pre", "posthook", "post")},
}
SCRIPTS = {"fails": "exit 3\n", "keep": "echo CM_OWN_MADE=yes > tmp-run-env.out\n"}


def in_dialect(text: str, dialect: str) -> str:
    """A text of CM's in the names of a dialect."""
    return text.replace("CM_", "MLC_") if dialect == "mlc" else text


def write_recipes(folder: Path, dialect: str = "cm") -> Path:
    """Write the repository `own@small` below a folder; gives its path. MLC's are CM's under its own names."""
    mlc = dialect == "mlc"
    repository = folder / "own@small"
    repository.mkdir(parents=True)
    (repository / ("meta.yaml" if mlc else "cmr.yaml")).write_text(
        "alias: own@small\nuid: 00000000000000ee\ngit: false\n"
    )
    for number, (name, meta) in enumerate((RECIPES | (MLC_RECIPES if mlc else {})).items(), 1):
        recipe = repository / "script" / f"own-{name}"
        recipe.mkdir(parents=True)
        full = {
            "alias": f"own-{name}",
            "uid": f"{number:015x}e",
            "automation_alias": "script",
            "automation_uid": "5b4e0237da074764",
            "tags": ["own", name],
            "new_env_keys": EXPORT,
            **meta,
        }
        text = json.dumps(full, indent=1)  # which is YAML too
        (recipe / ("meta.yaml" if mlc else "_cm.json")).write_text(in_dialect(text, dialect))
        if name in HOOKS:
            (recipe / "customize.py").write_text(in_dialect(HOOKS[name], dialect))
        if name in SCRIPTS:
            (recipe / "run.sh").write_text(in_dialect("#!/bin/bash\n" + SCRIPTS[name], dialect))
    return repository
