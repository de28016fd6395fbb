"""Runs one verb, and turns exceptions into messages and exit codes (table: ground/errors.py)."""

from __future__ import annotations

import importlib
import os
import signal
import sys

from assay.cli import intents, terminal
from assay.cli.terminal import tell
from assay.cli.verbs import CM_VERBS, VERBS
from assay.doors import store
from assay.ground import extras, settings, system_errors
from assay.ground.errors import AssayError, ConfigError, EnvironmentProblem, Interrupted, did_you_mean
from assay.ground.printable import indented

BUG = 70
CM_AUTOMATIONS = ("cache", "core", "repo", "script", "utils")


def run(args: list[str]) -> int:
    # `kill` and `timeout` have the effect of Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    terminal.begin(terminal.Manner())
    try:
        terminal.begin(terminal.Manner(is_json=_asks_for_json(args)))
        settings.set_home(store.folder(os.environ))
        code = _dispatch(args)
        sys.stdout.flush()
        return code
    except AssayError as error:
        return _fail(error)
    except KeyboardInterrupt as stop:
        return _fail(Interrupted("interrupted; what was finished is kept"), stop)
    except (OSError, RuntimeError) as error:
        # Before Python 3.13 pathlib raises RuntimeError for a loop of links.
        refused = error.__context__ if isinstance(error, RuntimeError) else error
        if not isinstance(refused, OSError) or refused.errno is None:
            return _report_bug(error, args)
        return _fail(system_errors.problem(refused), error)
    except MemoryError as error:
        needed = "a smaller input, or a machine with more memory"
        return _fail(EnvironmentProblem("out of memory", needed), error)
    except Exception as bug:
        if missing := extras.lacking(bug):
            return _fail(missing, bug)
        return _report_bug(bug, args)
    finally:
        signal.signal(signal.SIGTERM, before)


def _asks_for_json(args: list[str]) -> bool:
    """Whether one of our verbs has --json. This is read before the options, so that errors in them are printed as
    JSON too."""
    words = args[: args.index("--")] if "--" in args else args
    return "--json" in words and _is_own_verb(args)


def _fail(error: AssayError, cause: BaseException | None = None) -> int:
    """Prints an expected error, with --verbose also its traceback. Returns the exit code."""
    tell(f"assay: {indented(str(error))}")
    if terminal.manner.is_verbose:
        tell(_traced(cause or error))
    _say_error(error.message, error.hint, error.exit_code)
    return error.exit_code


def _say_error(message: str, hint: str, code: int) -> None:
    """Prints the error as the one JSON value of a command that has printed no other."""
    if not terminal.manner.is_json or terminal.manner.has_value:
        return
    import contextlib
    import json

    from assay.ground.redact import addresses

    error = {"message": addresses(message), "hint": addresses(hint), "exit_code": code}
    with contextlib.suppress(OSError):  # the error may be that stdout cannot be written to
        terminal.say_json(json.dumps({"error": error}))
        sys.stdout.flush()


def _traced(error: BaseException) -> str:
    import traceback

    from assay.recipes.contract.secrets import in_text

    return in_text("".join(traceback.format_exception(error)).rstrip(), os.environ)


def _dispatch(args: list[str]) -> int:
    verb = args[0]
    if verb == "help" and args[1:2] and args[1] in VERBS:
        return _run_own(args[1], ["--help"])
    if _is_own_verb(args):
        return _run_own(verb, args[1:])
    if verb in CM_VERBS:
        from assay.cli import cm

        return cm.main(args)
    raise ConfigError(
        f"unknown verb {verb!r}",
        _hint(verb, [*VERBS, *CM_VERBS, "version"], intents.VERBS.get(verb.lower(), ""), "assay"),
    )


def _is_own_verb(args: list[str]) -> bool:
    """Whether the first word is one of our verbs. For a verb that CM has too, `is_ours` decides."""
    return args[0] in VERBS and (args[0] not in CM_VERBS or is_ours(args))


def is_ours(args: list[str]) -> bool:
    """Whether a verb that CM has too is meant as Assay's: it is followed by a server, a file or nothing."""
    named = [word for word in args[1:] if not word.startswith("-")]
    if not named or (args[0] == "import" and _is_place(named[0])):
        return True
    return args[0] == "load" and _is_load_of_server(args[1:], named[0])


def _is_place(word: str) -> bool:
    """Whether a word is a file or folder to import. CM's own `import` is followed by an automation."""
    return word not in CM_AUTOMATIONS


def _is_load_of_server(words: list[str], first: str) -> bool:
    """Whether `load` is followed by a server's URL or a workload. CM's own `load` is followed by an automation."""
    if any(word.partition("=")[0] in ("--url", *intents.ALIASES["--url"]) for word in words):
        return True
    from assay.mlperf.workloads import TABLE

    return first in TABLE


def _hint(word: str, known: list[str], said: str, command: str) -> str:
    """A hint for an unknown word: what is `said` of it, a similar word, or the command that lists all words."""
    # If no word is similar, `did_you_mean` lists all words, which is too long here.
    near = did_you_mean(word, known)
    return said or (near if near.startswith("did you mean") else f"`{command} --help` lists what there is")


def _run_own(verb: str, rest: list[str]) -> int:
    from assay.cli.arguments import options, parser_of, refuse_unclear, unknown_options

    module = importlib.import_module(f"assay.cli.{VERBS[verb][0]}")
    parser = parser_of(verb, module)
    refuse_unclear(rest, parser)
    try:
        asked, unknown = parser.parse_known_args(rest)
    except ConfigError as error:
        unknown = unknown_options(rest, parser)
        if "arguments are required" not in error.message or not unknown:
            raise
    if unknown:
        word = unknown[0].split("=")[0]
        known = [*options(parser)]
        hint = _hint(word, known, intents.option(word, known), f"assay {verb}")
        # The value may be a secret, as of --api-key=….
        named = word if unknown[0].startswith("-") else unknown[0]
        raise ConfigError(f"assay {verb} does not know {named!r}", hint)
    terminal.begin(
        terminal.Manner(
            is_json=asked.json,
            is_quiet=getattr(asked, "quiet", False),
            is_verbose=getattr(asked, "verbose", False),
        )
    )
    code: int = module.run(asked)
    return code


def _report_bug(bug: Exception, args: list[str]) -> int:
    """Writes a log that can be pasted into a bug report, and prints its path."""
    import platform
    import shlex
    import tempfile
    import traceback

    from assay import __version__
    from assay.ground.redact import addresses
    from assay.recipes.contract.secrets import hidden_words, in_text

    content = in_text(
        f"assay {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"command: assay {shlex.join(hidden_words(args))}\n\n{''.join(traceback.format_exception(bug))}",
        os.environ,
    )
    said = in_text(f"a bug in Assay: {type(bug).__name__}: {bug}", os.environ)
    tell(f"assay: {said}")
    hint = ""
    try:
        handle, name = tempfile.mkstemp(prefix="assay-bug-", suffix=".log")
        with os.fdopen(handle, "wb") as log:
            log.write(addresses(content).encode("utf-8", "backslashreplace"))
    except OSError as error:
        tell(f"  no log of it could be written ({error}):\n{addresses(content)}")
    else:
        hint = f"report it with the log {name}"
        tell(f"  try: {hint}")
    _say_error(said, hint, BUG)
    return BUG
