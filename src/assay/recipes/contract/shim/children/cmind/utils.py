# mypy: ignore-errors
# ruff: noqa: PTH107, PTH113, PTH118, PTH123, UP031
"""The helpers of `cmind.utils` (and `mlc.utils`) that recipes use. Most return a dictionary with `return`. The
module imports nothing of Assay, because any Python that a recipe starts may import it."""

import os
import re


def load_txt(
    file_name,
    encoding="utf8",
    remove_after_read=False,
    check_if_exists=False,
    split=False,
    match_text="",
    fail_if_no_match="",
    debug=False,
):
    """Returns the text of a file as `string`, its lines as `list`, and the first match of a pattern as `match`."""
    if check_if_exists and not os.path.isfile(file_name):
        return {"return": 16, "error": "file %s was not found" % file_name}
    with open(file_name, encoding=encoding) as file:
        text = file.read()
    if remove_after_read:
        os.remove(file_name)
    answer = {"return": 0, "string": text}
    if split:
        answer["list"] = text.split("\n")
    if match_text:
        match = re.search(match_text, text)
        if not match and fail_if_no_match:
            return {"return": 1, "error": fail_if_no_match, "string": text}
        answer["match"] = match
    return answer


def save_txt(file_name, string):
    """Writes a text to a file."""
    with open(file_name, "w", encoding="utf8") as file:
        file.write(string)
    return {"return": 0}


def load_json(file_name, check_if_exists=False, encoding="utf8"):
    """Returns the value in a JSON file as `meta`."""
    if check_if_exists and not os.path.isfile(file_name):
        return {"return": 16, "error": "file %s was not found" % file_name}
    with open(file_name, encoding=encoding) as file:
        import json

        return {"return": 0, "meta": json.load(file)}


def save_json(file_name, meta=None, indent=2, sort_keys=True, encoding="utf8"):
    """Writes a value as JSON to a file."""
    with open(file_name, "w", encoding=encoding) as file:
        import json

        json.dump({} if meta is None else meta, file, indent=indent, sort_keys=sort_keys)
        file.write("\n")
    return {"return": 0}


def load_yaml(file_name, check_if_exists=False, encoding="utf8"):
    """Returns the value in a YAML file as `meta`."""
    import yaml

    if check_if_exists and not os.path.isfile(file_name):
        return {"return": 16, "error": "file %s was not found" % file_name}
    with open(file_name, encoding=encoding) as file:
        return {"return": 0, "meta": yaml.safe_load(file)}


def save_yaml(file_name, meta=None, sort_keys=True, encoding="utf8"):
    """Writes a value as YAML to a file."""
    import yaml

    with open(file_name, "w", encoding=encoding) as file:
        yaml.safe_dump({} if meta is None else meta, file, sort_keys=sort_keys)
    return {"return": 0}


def load_yaml_and_json(file_name_without_ext, check_if_exists=False, encoding="utf8"):
    """Reads both files of a description. JSON overrides YAML."""
    meta, found = {}, False
    for extension, load in ((".yaml", load_yaml), (".json", load_json)):
        if os.path.isfile(file_name_without_ext + extension):
            meta.update(load(file_name_without_ext + extension)["meta"] or {})
            found = True
    if check_if_exists and not found:
        return {"return": 16, "error": "no %s.yaml or .json" % file_name_without_ext}
    return {"return": 0, "meta": meta}


def get_current_date_time(i=None):
    """Returns the local time: as text in `iso_datetime`, and its parts in `array`."""
    import datetime

    now = datetime.datetime.now()
    parts = {
        "date_year": now.year,
        "date_month": now.month,
        "date_day": now.day,
        "time_hour": now.hour,
        "time_minute": now.minute,
        "time_second": now.second,
    }
    return {"return": 0, "array": parts, "iso_datetime": now.isoformat()}


def gen_uid():
    """Returns a new `uid` of 16 hex digits."""
    return {"return": 0, "uid": os.urandom(8).hex()}


def merge_dicts(i, nested=False):
    """Merges dict2 into dict1 in place. With append_lists, lists are appended."""
    target, more = i["dict1"], i["dict2"]
    append = i.get("append_lists", False)
    unique = i.get("append_unique", False) and not nested
    for key, value in more.items():
        have = target.get(key)
        if isinstance(value, dict) and isinstance(have, dict):
            merge_dicts(dict(i, dict1=have, dict2=value), True)
        elif isinstance(value, list) and isinstance(have, list) and (append or nested):
            have.extend(item for item in list(value) if not (unique and item in have))
        else:
            target[key] = value
    return {"return": 0, "merged": target}


def sub_input(i, keys, reverse=False):
    """Returns the entries of `i` that are among `keys`; with `reverse` the others."""
    return {key: value for key, value in i.items() if (key in keys) != bool(reverse)}


def convert_env_to_dict(s):
    """Parses `K=V` lines into a dictionary, returned as `dict`."""
    found = {}
    for line in s.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            found[key.strip()] = value.strip()
    return {"return": 0, "dict": found}


def convert_tags_to_list(i):
    """Returns the `tags` of a dictionary as a list."""
    tags = i.get("tags") or []
    return tags if isinstance(tags, list) else [tag.strip() for tag in tags.split(",") if tag.strip()]


def assemble_cm_object(alias, uid):
    """Returns `alias,uid` of an artifact."""
    return ",".join(part for part in (alias, uid) if part)


def is_cm_uid(obj):
    """Whether a text is a uid: sixteen characters from 0-9, a-f and the dot."""
    return re.fullmatch("[0-9a-f.]{16}", obj) is not None


def compare_versions(version1, version2):
    """Compares two versions by the numbers between the dots: -1, 0 or 1."""
    left, right = (
        [int(re.match(r"\d*", p)[0] or 0) for p in str(v).split(".")] for v in (version1, version2)
    )
    width = max(len(left), len(right))
    left, right = (parts + [0] * (width - len(parts)) for parts in (left, right))
    return (left > right) - (left < right)


def check_if_true_yes_on(env, key):
    """Whether the value of a key is true, yes or on."""
    return str(env.get(key, "")).lower() in ("true", "yes", "on")


def copy_to_clipboard(i):
    """Does nothing: there is no clipboard."""
    return {"return": 0}


def load_python_module(i):
    """Loads a module from a folder. Returns it as `code`."""
    import importlib.util

    path = os.path.join(i["path"], i["name"] + ".py")
    if not os.path.isfile(path):
        return {"return": 1, "error": "no module %s" % path}
    spec = importlib.util.spec_from_file_location(i["name"], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {"return": 0, "code": module, "path": path}


def run_system_cmd(i):
    """Runs a shell command in a folder. Returns 1 when it fails."""
    import subprocess

    done = subprocess.run(i["cmd"], shell=True, cwd=i.get("path") or None, check=False)
    if done.returncode and not i.get("ignore_status"):
        return {"return": 1, "error": "command failed with exit %d: %s" % (done.returncode, i["cmd"])}
    return {"return": 0, "rc": done.returncode}


def debug_here(module_path="", host="localhost", port=5678, text="", env_debug_uid="", env=None):
    """An object with a method `breakpoint()`. It starts the debugger if the user requested this id, else it does
    nothing."""

    class Debugger:
        def breakpoint(self):
            if env_debug_uid and (env or {}).get("CM_TMP_DEBUG_UID") == env_debug_uid:
                breakpoint()

    return Debugger()
