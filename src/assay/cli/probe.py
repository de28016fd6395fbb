"""`assay probe URL`: reports what a server is, what it can do, and what follows for MLPerf (docs/endpoint.md)."""

from __future__ import annotations

import argparse

from assay.cli.terminal import say, say_json
from assay.ground import paths
from assay.ground.printable import one_line

HELP = "what a server is and can do: API, exactness, tokens, caches, and what follows for MLPerf"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", help="http://HOST:PORT")
    parser.add_argument(
        "--api",
        default="auto",
        help="auto, vllm, sglang, trtllm, llamacpp, tgi, openai, ollama, or one API by its name (default: auto)",
    )
    parser.add_argument("--model", help="the model's name at the server (default: its first)")
    parser.add_argument(
        "--tokenizer", type=paths.given, help="checkpoint folder: compares text and vocabulary"
    )
    parser.add_argument("--api-key-env", metavar="NAME", help="environment variable that holds the key")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds without a byte (default: 60)")


def run(args: argparse.Namespace) -> int:
    import json

    from assay.cli.probe_words import consequences, facts, plain
    from assay.endpoint.probe.report import TextFacts, probe
    from assay.endpoint.probe.trial import TEXT
    from assay.endpoint.single import probed_server
    from assay.ground.errors import ConfigError
    from assay.suts import secret

    if not 0 < args.timeout < 1e6:
        raise ConfigError("--timeout is seconds, above 0", "--timeout 60")
    key = secret.value(args.api_key_env) if args.api_key_env else None
    server = probed_server(args.url, key, args.timeout)
    text = None
    if args.tokenizer:
        from assay.mlperf.data import tokenizer

        words = tokenizer.load(args.tokenizer)
        text = TextFacts(words.vocab_size, len(words.encode(TEXT)))
    report = probe(server, args.api, args.model, text)
    if args.json:
        say_json(json.dumps(plain(report) | {"consequences": consequences(report)}))
        return 0
    say(f"{server.text}: {report.identity.kind or 'a server that does not say what it is'}")
    for name, told in facts(report):
        say(f"  {name:<18} {one_line(told)}")
    say("\nWhat follows for MLPerf")
    for sentence in consequences(report):
        say(f"  - {sentence}")
    return 0
