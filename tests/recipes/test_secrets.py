"""Secrets: what is one, and that it stands in no file, command line, report or message that others can read."""

from __future__ import annotations

import base64
import functools
import http.server
import json
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.cli import main
from assay.recipes.contract import secrets
from assay.recipes.contract.git_login import apart
from assay.recipes.errors import RecipeFault
from assay.recipes.tools import container

from .conftest import Kit
from .test_home import git as run_git
from .test_home import has_git, upstream  # noqa: F401

SECRET = "ghp_S3CRETs3cret"
KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET * 4}\n-----END OPENSSH PRIVATE KEY-----"
PROXY = "http://me:S3CRETpass@127.0.0.1:9"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GH_TOKEN", SECRET),
        ("CM_GH_TOKEN", SECRET),
        ("MLC_HF_TOKEN", SECRET),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_ACCESS_KEY_ID", SECRET),
        ("CM_DB_PASSWORD", SECRET),
        ("pat", SECRET),
        ("gh-token", SECRET),
        ("PGPASSWORD", SECRET),
        ("HFTOKEN", SECRET),
        ("CM_DB_PWD", SECRET),
        ("DBPASS", SECRET),
        ("CM_PASSCODE", SECRET),
        ("CM_RUN_CMD", f"curl -H 'Authorization: Bearer {SECRET}' host"),
        ("docker_run_args", f"-e GH_TOKEN={SECRET} -e A=b"),
        ("env", f'{{"GH_TOKEN": "{SECRET}", "A": 1}}'),
        ("L,", f"A=b,GH_TOKEN={SECRET}"),
        ("GH_TOKEN,", SECRET),
        ("AUTHORIZATION", f"Bearer {SECRET}"),
        ("GH_TOKEN", f"-{SECRET}"),
        ("http_proxy", PROXY),
        ("CM_NOTES", KEY),
        ("CM_NOTES", f"before\n{KEY}\nafter"),
        ("CM_NOTES", KEY[:90]),
        ("CM_NOTES", [f"x {KEY}"]),
        ("CM_GIT_URL", f"https://{SECRET}@host/owner/name"),
        ("CM_PACKAGE_URL", "https://host/f.zip?X-Amz-Signature=abc&X=1"),
    ],
)
def test_a_secret_is_known_by_its_name_or_by_itself(name: str, value: str) -> None:
    shown = name.rstrip(",")
    assert secrets.holds(value, shown)
    assert "S3CRET" not in str(secrets.hidden({shown: value}))
    assert "S3CRET" not in str(secrets.hidden({shown: [value]}))
    assert secrets.parted({"a": {shown: value}, "b": 1}) == ({"a": {}, "b": 1}, {"a": {shown: value}})
    assert "S3CRET" not in secrets.hidden_words([f"--env.{name}={value}"])[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CM_TOKENIZER_PATH", "/a"),
        ("CM_MAX_TOKENS", "1024"),
        ("CM_TOKEN_LENGTH", "10240"),
        ("CM_GIT_USE_TOKEN", "yes"),
        ("CM_HF_TOKEN", "$HF_TOKEN"),
        ("CM_HF_TOKEN", ""),
        ("CM_SSH_KEY_FILE", "/home/me/.ssh/id"),
        ("CM_PACKAGE_URL", "https://host:8080/f.zip?download=1"),
        ("CM_GIT_URL", "git@github.com:owner/name"),
        ("CM_GIT_URL", "ssh://git@host/name"),
        ("http_proxy", "http://127.0.0.1:9"),
        ("PWD", "/home/me"),
        ("CM_TMP_CURRENT_PWD", "/home/me"),
        ("SSH_ASKPASS", "/usr/bin/ask"),
        ("CM_PASSED", "12345"),
        ("docker_run_args", "-v /home/key:/key:ro --max-tokens=102400 --tokenizer=/a"),
    ],
)
def test_what_only_sounds_like_a_secret_is_shown(name: str, value: str) -> None:
    assert not secrets.is_secret(name, value)
    assert secrets.hidden({name: value}) == {name: value}


def everything(folder: Path) -> str:
    """All that stands in the files below a folder that others can read."""
    paths = [p for p in folder.rglob("*") if p.is_file() and p.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)]
    return "\n".join(path.read_text(errors="replace") for path in paths)


def private(folder: Path) -> str:
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def secret_home(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """A home that the command line finds, in an environment with a token and a proxy with a password."""
    monkeypatch.setenv("CM_REPOS", str(kit.home.root))
    monkeypatch.setenv("ASSAY_BUILTIN", "0")
    monkeypatch.setenv("GH_TOKEN", SECRET)
    monkeypatch.setenv("http_proxy", PROXY)
    return kit


def test_a_script_has_the_secrets_and_no_file_of_the_home_holds_them(
    secret_home: Kit, tmp_path: Path
) -> None:
    script = 'echo "$GH_TOKEN $http_proxy $CM_API_KEY" > seen\n[[ -n $CM_FAIL ]] && exit 1\ntrue\n'
    secret_home.recipe("uses", cache=True, run=script, new_env_keys=["CM_X*"], env={"CM_X": "1"})
    words = ["run", "script", "--tags=uses", "--user_python", "--quiet", "--env.CM_API_KEY=S3CRETkey"]
    assert main(words) == 0
    [seen] = secret_home.home.cache.rglob("seen")
    assert seen.read_text() == f"{SECRET} {PROXY} S3CRETkey\n"
    seen.unlink()
    assert "S3CRET" not in private(tmp_path)
    assert main([*words, "--new", "--env.CM_FAIL=1"]) == 2
    [seen] = secret_home.home.work.rglob("seen")
    seen.unlink()
    assert "S3CRET" not in private(tmp_path)


def test_what_a_recipe_hands_back_is_kept_for_its_owner_alone(secret_home: Kit, tmp_path: Path) -> None:
    script = f"echo CM_MADE_TOKEN={SECRET} >> tmp-run-env.out\n"
    secret_home.recipe("makes", cache=True, run=script, new_env_keys=["CM_MADE_*"])
    words = ["run", "script", "--tags=makes", "--user_python", "--quiet"]
    assert main(words) == 0
    (secret_home.repository / "script" / "makes" / "run.sh").unlink()  # it holds the token itself
    assert SECRET not in everything(tmp_path)
    kept = secret_home.run("makes")["new_env"]
    assert kept == {"CM_MADE_TOKEN": SECRET}


def test_reports_of_a_run_hide_secrets(
    secret_home: Kit, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hooks = "def preprocess(i):\n    return {'return': 0}\n"
    secret_home.recipe(
        "reports",
        hooks,
        "true\n",
        new_env_keys=["GH_TOKEN", "http_proxy", "CM_*"],
        print_env_at_the_end={"GH_TOKEN": ""},
    )
    files = [
        f"--lock={tmp_path / 'lock'}",
        f"--save_to_json={tmp_path / 'answer'}",
        "--repro",
        "--save_env",
        "-j",
    ]
    words = [
        "--tags=reports",
        "--user_python",
        "--quiet",
        "--env.CM_HF_TOKEN=S3CREThf",
        "--gh_token=S3CRETgh",
    ]
    assert main(["run", "script", *words, "--print_env", "-v", "--print_readme", *files]) == 0
    assert main(["run", "script", *words, "--out=json"]) == 0
    for verb in ("explain", "plan", "why"):
        assert main(["recipe", verb, *words, "--json"]) == 0
    assert "S3CRET" not in "".join(capfd.readouterr())
    assert "S3CRET" not in private(tmp_path)
    locked = json.loads((tmp_path / "lock").read_text())
    assert "CM_HF_TOKEN" not in locked["inputs"]["env"]
    assert main(["recipe", "reproduce", str(tmp_path / "lock")]) == 0


def test_messages_hide_what_the_environment_and_the_options_hold(
    secret_home: Kit, capfd: pytest.CaptureFixture[str]
) -> None:
    hooks = (
        "def preprocess(i):\n    return {'return': 1, 'error': 'no access with ' + i['env']['CM_HF_TOKEN']}\n"
    )
    secret_home.recipe("tells", hooks)
    assert main(["run", "script", "--tags=tells", "--user_python", "--env.CM_HF_TOKEN=S3CREThf"]) == 1
    assert "no access with ***" in capfd.readouterr().err


def test_the_word_after_an_option_is_its_value() -> None:
    words = ["login", "--token", SECRET, "--user", "me"]
    assert secrets.hidden(words) == secrets.hidden_words(words) == ["login", "--token", "***", "--user", "me"]


def test_a_token_in_an_authorised_address_reaches_the_recipe_and_no_reader(
    secret_home: Kit, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hooks = (
        "def preprocess(i):\n"
        "    i['env']['CM_CLONE_CMD'] = 'git clone ' + i['env']['CM_GIT_URL'] + ' src'\n"
        "    return {'return': 0}\n"
    )
    authorised = {"CM_GIT_URL": "https://host/o/n", "CM_GIT_AUTH": "yes"}
    script = 'echo "$CM_CLONE_CMD" > seen; echo "$CM_CLONE_CMD"; [[ -z $CM_FAIL ]]\n'
    secret_home.recipe("clones", hooks, script, cache=True, env=authorised, new_env_keys=["CM_*"])
    words = ["run", "script", "--tags=clones", "--user_python", "--quiet", "--gh_token=S3CRETgh", "--repro"]
    assert main([*words, "--print_env", "-v", f"--lock={tmp_path / 'lock'}", "-j", "--save_env"]) == 0
    assert main([*words, "--new", "--env.CM_FAIL=1"]) == 2
    assert main(["show", "cache", "--tags=clones"]) == 0
    for seen in secret_home.home.root.rglob("seen"):  # what the recipe itself wrote
        assert seen.read_text() == "git clone https://git:S3CRETgh@host/o/n src\n"
        seen.unlink()
    said = "".join(capfd.readouterr()).replace("git clone https://git:S3CRETgh@host/o/n src\n", "")
    assert "S3CRET" not in said + everything(tmp_path)


def test_options_for_another_command_hide_their_secrets_however_many_there_are() -> None:
    words = [f"--docker_run_args=-e GH_TOKEN={SECRET} -e A=b", "--a=-" + "-b=" * 5000]
    assert secrets.hidden_words(words) == ["--docker_run_args=-e GH_TOKEN=*** -e A=b", words[1]]


def test_an_option_that_a_recipe_maps_to_a_secret_is_one(
    secret_home: Kit, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "_options", set())
    monkeypatch.chdir(tmp_path)
    hooks = (
        "def preprocess(i):\n"
        "    told = i['env']['CM_HF_TOKEN']\n"
        "    return {'return': int('CM_FAIL' in i['env']), 'error': 'no access with ' + told}\n"
    )
    secret_home.recipe("maps", hooks, input_mapping={"login": "CM_HF_TOKEN"}, cache=True)
    words = ["run", "script", "--tags=maps", "--user_python", "--quiet", "--login=S3CRETlogin"]
    assert main([*words, "--repro", "--out=json"]) == 0
    assert main([*words, "--new", "--env.CM_FAIL=1"]) == 1
    assert "S3CRET" not in "".join(capfd.readouterr())
    assert "S3CRET" not in private(tmp_path)


def test_a_message_hides_a_secret_that_was_given_as_a_constant(
    secret_home: Kit, capfd: pytest.CaptureFixture[str]
) -> None:
    hooks = "def preprocess(i):\n    return {'return': 1, 'error': 'no ' + i['env']['CM_HF_TOKEN']}\n"
    secret_home.recipe("tells", hooks)
    assert main(["run", "script", "--tags=tells", "--user_python", "--const.CM_HF_TOKEN=S3CREThf"]) == 1
    assert "no ***" in capfd.readouterr().err


def test_a_log_of_a_failure_hides_secrets_and_is_private(secret_home: Kit) -> None:
    secret_home.recipe("prints", run='echo "token $GH_TOKEN"; exit 1\n')
    assert main(["run", "script", "--tags=prints", "--user_python"]) == 2
    [log] = secret_home.home.logs.glob("*.log")
    assert "token ***" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


# ---- git


class Closed(http.server.SimpleHTTPRequestHandler):
    """Files for those who know the password."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:S3CRETpass").decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="closed"')
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def closed(upstream: Path) -> Iterator[str]:  # noqa: F811
    """`host:port/name.git` of a repository behind a password."""
    bare = upstream.parent.parent.parent / "served" / "name.git"
    run_git(upstream, "clone", "-q", "--bare", str(upstream), str(bare))
    run_git(bare, "update-server-info")
    handler = functools.partial(Closed, directory=str(bare.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}/name.git"
    server.shutdown()


def test_a_login_in_an_address_reaches_git_and_no_file(
    kit: Kit, closed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[list[str]] = []
    real = subprocess.run

    def seen(words: list[str], **more: Any) -> Any:
        commands.append(words)
        return real(words, **more)

    monkeypatch.setattr(subprocess, "run", seen)
    for _ in range(2):  # a clone, and an update of it
        kit.perform(["pull", "repo", f"http://me:S3CRETpass@{closed}"])
    assert commands
    assert "S3CRET" not in str(commands) + private(tmp_path) + str(kit.console.said + kit.console.noted)
    [clone] = kit.home.folder.glob("*@name")
    assert (clone / "script").exists()


def test_a_refused_login_is_told_without_the_password(kit: Kit, closed: str) -> None:
    with pytest.raises(RecipeFault) as caught:
        kit.perform(["pull", "repo", f"http://me:S3CRETwrong@{closed}"])
    assert "S3CRET" not in str(caught.value)


def test_a_token_is_a_login_for_https_alone() -> None:
    url, login = apart("https://host/o/n", "T")
    assert (url, login.server, login.user, login.password) == ("https://host/o/n", "https://host", "git", "T")
    assert not apart("ssh://git@host/o/n", "T")[1].is_given
    assert apart("https://u:p%40q@host/o")[1].password == "p@q"
    assert apart("owner@name")[0] == "owner@name"


# ---- containers


def test_secrets_reach_a_container_by_the_environment(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = tmp_path / "bin" / "docker"
    engine.parent.mkdir()
    engine.write_text(f'#!/bin/bash\necho "$@" >> {tmp_path}/argv\nenv >> {tmp_path}/environment\n')
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{engine.parent}{os.pathsep}{os.environ['PATH']}")
    kit.recipe("boxed", docker={"build_env": {"A_TOKEN": SECRET, "B": "1"}})
    context = kit.context()
    context.host_env.update({"GH_TOKEN": SECRET, "http_proxy": PROXY})
    inputs = {
        "tags": "boxed",
        "quiet": "yes",
        "env": {"CM_HF_TOKEN": "S3CREThf", "CM_A": "1"},
        "docker_extra_run_args": "-e MY_TOKEN=S3CRETmy --env=YOUR_TOKEN=S3CRETyour",
    }
    answer = container.run_in_container(context, inputs)
    assert "S3CRET" not in (tmp_path / "argv").read_text() + str(answer) + str(kit.console.said)
    assert "S3CRET" not in Path(answer["dockerfile"]).read_text()
    given = (tmp_path / "environment").read_text()
    for line in (f"GH_TOKEN={SECRET}", f"http_proxy={PROXY}", "MY_TOKEN=S3CRETmy", "YOUR_TOKEN=S3CRETyour"):
        assert line in given
    read = '{"env": {"CM_HF_TOKEN": "S3CREThf"}}'
    assert f"{container.SECRETS}={read}" in given
    assert f"@{container.SECRETS_FILE} " in answer["commands"][1][-1]
    assert "--env.CM_A=1" in answer["commands"][1][-1]


def test_an_option_that_only_a_dependency_maps_to_a_secret_reaches_a_container_by_the_environment(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "_options", set())
    kit.recipe("inner", variations={"v": {"input_mapping": {"login": "CM_HF_TOKEN"}}})
    kit.recipe("outer", deps=[{"tags": "inner,_v"}])
    line = ["docker", "script", "--tags=outer", "--docker_dry_run", "--quiet", "--login=S3CRETlogin"]
    answer = kit.perform([*line, "--adr.x.env.CM_API_KEY=S3CRETkey"])
    assert "S3CRET" not in str(answer) + str(kit.console.said) + Path(answer["dockerfile"]).read_text()
    assert f"@{container.SECRETS_FILE} " in answer["commands"][1][-1]


@pytest.mark.parametrize(
    "kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
)
def test_a_private_key_is_hidden_wherever_it_stands_and_what_is_around_it_stays(kind: str) -> None:
    block = f"-----BEGIN {kind}-----\n{SECRET}\n-----END {kind}-----"
    assert secrets.in_text(f"log: {block} done") == "log: *** done"
    assert secrets.is_secret("CM_NOTES", block)
    assert secrets.apart({"CM_NOTES": block, "A": "b"}) == ({"A": "b"}, {"CM_NOTES": block})


def test_a_public_key_and_words_about_keys_are_no_secrets() -> None:
    for text in ("-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----", "put your PRIVATE KEY there"):
        assert secrets.in_text(text) == text
        assert not secrets.is_secret("CM_NOTES", text)
