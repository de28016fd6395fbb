# mypy: ignore-errors
# ruff: noqa: PTH107, PTH113, PTH118, PTH123, UP031
"""The helpers of `cmind.utils` (and `mlc.utils`) that recipes use. Each gives a dictionary with `return`.

Self-contained and plain, since any Python that a recipe starts may import it.
"""

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
    """The text of a file as `string`, its lines as `list`, the first match of a pattern as `match`."""
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
    """Write a text."""
    with open(file_name, "w", encoding="utf8") as file:
        file.write(string)
    return {"return": 0}


def load_json(file_name, check_if_exists=False, encoding="utf8"):
    """The value of a JSON file as `meta`."""
    if check_if_exists and not os.path.isfile(file_name):
        return {"return": 16, "error": "file %s was not found" % file_name}
    with open(file_name, encoding=encoding) as file:
        import json

        return {"return": 0, "meta": json.load(file)}


def save_json(file_name, meta=None, indent=2, sort_keys=True, encoding="utf8"):
    """Write a value as JSON."""
    with open(file_name, "w", encoding=encoding) as file:
        import json

        json.dump({} if meta is None else meta, file, indent=indent, sort_keys=sort_keys)
        file.write("\n")
    return {"return": 0}


def load_yaml(file_name, check_if_exists=False, encoding="utf8"):
    """The value of a YAML file as `meta`."""
    import yaml

    if check_if_exists and not os.path.isfile(file_name):
        return {"return": 16, "error": "file %s was not found" % file_name}
    with open(file_name, encoding=encoding) as file:
        return {"return": 0, "meta": yaml.safe_load(file)}


def save_yaml(file_name, meta=None, sort_keys=True, encoding="utf8"):
    """Write a value as YAML."""
    import yaml

    with open(file_name, "w", encoding=encoding) as file:
        yaml.safe_dump({} if meta is None else meta, file, sort_keys=sort_keys)
    return {"return": 0}


def load_yaml_and_json(file_name_without_ext, check_if_exists=False, encoding="utf8"):
    """Both files of a description, the JSON one over the YAML one."""
    meta, found = {}, False
    for extension, load in ((".yaml", load_yaml), (".json", load_json)):
        if os.path.isfile(file_name_without_ext + extension):
            meta.update(load(file_name_without_ext + extension)["meta"] or {})
            found = True
    if check_if_exists and not found:
        return {"return": 16, "error": "no %s.yaml or .json" % file_name_without_ext}
    return {"return": 0, "meta": meta}


def get_current_date_time(i=None):
    """The local time, whole as `iso_datetime` and in parts as `array`."""
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
    """A new `uid` of 16 hex digits."""
    return {"return": 0, "uid": os.urandom(8).hex()}


def merge_dicts(i, nested=False):
    """Put dict2 over dict1 in place; with append_lists lists are appended."""
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
    """The entries of `i` that are, or with `reverse` are not, among `keys`."""
    return {key: value for key, value in i.items() if (key in keys) != bool(reverse)}


def convert_env_to_dict(s):
    """`K=V` lines as a dictionary under `dict`."""
    found = {}
    for line in s.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            found[key.strip()] = value.strip()
    return {"return": 0, "dict": found}


def convert_tags_to_list(i):
    """The `tags` of a dictionary as a list."""
    tags = i.get("tags") or []
    return tags if isinstance(tags, list) else [tag.strip() for tag in tags.split(",") if tag.strip()]


def assemble_cm_object(alias, uid):
    """`alias,uid`."""
    return ",".join(part for part in (alias, uid) if part)


def is_cm_uid(obj):
    """Sixteen characters out of 0-9, a-f and the dot."""
    return re.fullmatch("[0-9a-f.]{16}", obj) is not None


def compare_versions(version1, version2):
    """-1, 0 or 1, by the numbers between the dots."""
    left, right = (
        [int(re.match(r"\d*", p)[0] or 0) for p in str(v).split(".")] for v in (version1, version2)
    )
    width = max(len(left), len(right))
    left, right = (parts + [0] * (width - len(parts)) for parts in (left, right))
    return (left > right) - (left < right)


def check_if_true_yes_on(env, key):
    """Is the value of a key true, yes or on?"""
    return str(env.get(key, "")).lower() in ("true", "yes", "on")


def copy_to_clipboard(i):
    """There is no clipboard here."""
    return {"return": 0}


def load_python_module(i):
    """Load a module of a folder by path as `code`."""
    import importlib.util

    path = os.path.join(i["path"], i["name"] + ".py")
    if not os.path.isfile(path):
        return {"return": 1, "error": "no module %s" % path}
    spec = importlib.util.spec_from_file_location(i["name"], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {"return": 0, "code": module, "path": path}


def run_system_cmd(i):
    """Run a shell command in a folder; 1 when it fails."""
    import subprocess

    done = subprocess.run(i["cmd"], shell=True, cwd=i.get("path") or None, check=False)
    if done.returncode and not i.get("ignore_status"):
        return {"return": 1, "error": "command failed with exit %d: %s" % (done.returncode, i["cmd"])}
    return {"return": 0, "rc": done.returncode}


def debug_here(module_path="", host="localhost", port=5678, text="", env_debug_uid="", env=None):
    """An object whose `breakpoint()` enters the debugger when its id was asked for, and else does nothing."""

    class Debugger:
        def breakpoint(self):
            if env_debug_uid and (env or {}).get("CM_TMP_DEBUG_UID") == env_debug_uid:
                breakpoint()

    return Debugger()
