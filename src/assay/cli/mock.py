"""`assay mock`: runs a server without a model, for tests of clients (docs/mock.md)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from assay.cli.terminal import say, say_json
from assay.ground import paths
from assay.ground.errors import ConfigError, EnvironmentProblem

HELP = "a server without a model that answers as its script says: pace, queue, caches, faults"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, default=8000, help="0: any free one, which is printed (default: 8000)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1)")
    parser.add_argument(
        "--share-port",
        action="store_true",
        help="let several mocks use one port, to answer with more than one core",
    )
    parser.add_argument("--script", type=paths.given, help="TOML or JSON (docs/mock.md)")
    parser.add_argument("--api", help="the kind of server; overrides the script's (default: vllm)")


def run(args: argparse.Namespace) -> int:
    import asyncio
    import json

    from assay.endpoint.apis import api_named
    from assay.endpoint.clients import process
    from assay.endpoint.mock.script import script_of
    from assay.endpoint.mock.server import serve

    if not 0 <= args.port <= 65535:
        raise ConfigError(f"there is no port {args.port}", "0 to 65535")
    plain = _read(args.script) if args.script else {}
    if args.api:
        plain["api"] = api_named(args.api).name
    script = script_of(plain)

    def ready(port: int) -> None:
        url = f"http://{args.host}:{port}"
        if args.json:
            say_json(json.dumps({"api": script.api, "url": url}))
        else:
            say(f"mock {script.api} at {url} (end it with Ctrl-C)")
        sys.stdout.flush()

    process.collect_seldom()
    try:
        asyncio.run(serve(script, args.host, args.port, ready, shares_port=args.share_port))
    except OSError as error:
        raise EnvironmentProblem(
            f"port {args.port} of {args.host}: {error.strerror}", "--port 0 takes a free one"
        ) from error
    except KeyboardInterrupt:  # the usual way to end a mock
        return 0
    return 0


def _read(path: Path) -> dict[str, Any]:
    from assay.ground.parsed import json_value
    from assay.mlperf.rounds import toml_text

    try:
        text = path.read_text("utf-8")
        plain = json_value(text) if path.suffix == ".json" else toml_text.parse(text)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}", "a script is TOML, or JSON in a file *.json") from error
    if not isinstance(plain, dict):
        raise ConfigError(f"{path} is no table of settings", "docs/mock.md describes every key")
    return plain
