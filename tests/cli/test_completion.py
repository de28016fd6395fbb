"""The scripts complete what is typed; each is asked by its shell where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from assay.cli import catalog, completion, main

COMMANDS = catalog.commands()
TYPED = [
    ("assay be", "bench"),
    ("assay bench --scen", "--scenario"),
    ("assay bench --scenario off", "offline"),
    ("assay bench mixtral-n", "mixtral-nano"),
    ("assay dataset b", "build"),
    ("assay dataset build --tok", "--tokenizer"),
    ("assay completion f", "fish"),
    ("assay pul", "pull"),
]


def shell(name: str, script: str, tmp_path: Path, *words: str) -> str:
    """What the shell prints for a script that is read from a file."""
    if shutil.which(name) is None:
        pytest.skip(f"no {name} here")
    (tmp_path / "try").write_text(script)
    command = [name, *words, str(tmp_path / "try")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    assert done.stderr == ""
    return done.stdout


def test_bash_completes_verbs_options_and_values(tmp_path: Path) -> None:
    typed = [*TYPED, ("assay bench --scenario = off", "offline"), ("assay bench --limit off", "")]
    lines = "\n".join(
        f'COMP_WORDS=({line}); COMP_CWORD={len(line.split()) - 1}; COMPREPLY=(); _assay; echo "${{COMPREPLY[*]}}"'
        for line, _ in typed
    )
    said = shell("bash", f"{completion.bash(COMMANDS)}\n{lines}\n", tmp_path, "--norc")
    assert said.splitlines() == [words for _, words in typed]


def test_fish_completes_verbs_options_and_values(tmp_path: Path) -> None:
    lines = "\n".join(f"complete -C '{line}' | head -1 | cut -f1" for line, _ in TYPED)
    said = shell("fish", f"{completion.fish(COMMANDS)}\n{lines}\n", tmp_path, "--no-config")
    assert said.splitlines() == [words for _, words in TYPED]


def test_zsh_reads_its_script(tmp_path: Path) -> None:
    script = completion.zsh(COMMANDS)
    tail = "\nautoload -U compinit; compinit -D -u; eval $SCRIPT; print ${_comps[assay]}\n"
    assert shell("zsh", f"SCRIPT={completion.shlex.quote(script)}{tail}", tmp_path, "-f") == "_assay\n"
    assert shell("zsh", script, tmp_path, "-f", "-n") == ""
    for word in ("--scenario=[", "(offline server", "build:a set", "bench:run a benchmark"):
        assert word in script


def test_a_quote_in_a_help_does_not_end_a_word(tmp_path: Path) -> None:
    odd = catalog.OptionEntry(("--x",), (), "X", (), False, False, 'it\'s [a] $HOME `b` \\ "c": 100 %')
    commands = [catalog.CommandEntry(("odd",), odd.help, (), (odd,))]
    assert shell("bash", completion.bash(commands) + "\n", tmp_path, "--norc", "-n") == ""
    assert shell("fish", completion.fish(commands), tmp_path, "--no-config", "-n") == ""
    assert shell("zsh", completion.zsh(commands), tmp_path, "-f", "-n") == ""


@pytest.mark.parametrize("name", completion.WRITERS)
def test_the_verb_prints_the_script(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", name]) == 0
    assert "--scenario" in capsys.readouterr().out.replace("-l scenario", "--scenario")


def test_an_unknown_shell_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zhs"]) == 2
    assert "did you mean zsh?" in capsys.readouterr().err
