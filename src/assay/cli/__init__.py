"""The command line: one table of verbs and one dispatch. Only here and in `guard.py` exit codes are chosen.

Before the verb is known, only small parts of the standard library are imported: `assay --help`, `assay version` and
the CM verbs must start fast (docs/adr/0003-command-line.md).
"""

from __future__ import annotations

import sys

from assay.cli.verbs import CM_VERBS, help_text


def main(argv: list[str] | None = None) -> int:
    """Runs one command. Returns the exit code."""
    args = sys.argv[1:] if argv is None else argv
    if not args or args[0] in ("-h", "--help") or args == ["help"]:
        print(help_text())
        return 0
    if args[0] in ("version", "--version", "-V"):
        from assay import __version__

        print(f'{{"version": "{__version__}"}}' if "--json" in args else f"assay {__version__}")
        return 0
    from assay.cli import guard

    return guard.run(args)


def entry() -> None:
    from assay.cli import streams

    streams.prepare()
    if sys.argv[1:] and sys.argv[1] in CM_VERBS:
        from assay.cli import fast_exit

        fast_exit.run(main)
    sys.exit(main())
