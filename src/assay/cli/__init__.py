"""The command line: one table of verbs, one dispatch, the only place that picks exit codes.

Nothing but the standard library's smallest parts is imported before the verb is known: `assay --help`,
`assay version` and the CM verbs must answer in a blink (docs/adr/0003-command-line.md).
"""

from __future__ import annotations

import sys

from assay.cli.verbs import CM_VERBS, help_text


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is the return value."""
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
