"""llama.cpp's server on a workload, --batch slots; --model is a GGUF file (engine_forms.py), --dtype its name.

All requests are sent at once; what exceeds the slots waits inside the server. Prompts are token ids; the server
turns the answers into text, which no switch avoids and which is small beside the computation.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine_record import Item, arguments, measured, read_workload, record, warm_up

START_SECONDS = 300


def main() -> None:
    parser = arguments("Run llama.cpp's server on a workload.")
    parser.add_argument("--server", type=Path, required=True, help="the llama-server program")
    args = parser.parse_args()
    items = read_workload(args.workload, args.limit)
    # Every slot has the same share of the context, in steps of 256.
    context = -(-max(len(item.prompt) + item.new for item in items) // 256) * 256
    words = [str(args.server), "-m", str(args.model), "-t", str(args.threads), "-tb", str(args.threads)]
    words += ["-np", str(args.batch), "-c", str(context * args.batch), "-cb", "--no-warmup"]
    words += ["--cache-ram", "0", "--no-cache-prompt"]
    with serving(words) as port, ThreadPoolExecutor(len(items)) as pool:
        list(pool.map(lambda item: complete(port, item), warm_up(items)))
        with measured() as found:
            lengths = list(pool.map(lambda item: complete(port, item), items))
    assert lengths == [item.new for item in items], "an answer of another length"
    version = subprocess.run([args.server, "--version"], capture_output=True, text=True, check=True)
    number = (version.stdout + version.stderr).split("version: ")[1].split()[0]
    record(args, f"llama.cpp {number}", items, found)


@contextmanager
def serving(words: list[str]) -> Iterator[int]:
    """A server on a free port, ready to answer; it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([*words, "--host", "127.0.0.1", "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{words[0]} did not start: exit code {server.poll()}")
            time.sleep(0.2)
        yield port
    finally:
        server.terminate()
        server.wait()


def ready(port: int) -> bool:
    try:
        return request(port, "GET", "/health")[0] == 200
    except OSError:
        return False


def complete(port: int, item: Item) -> int:
    """The number of tokens of one answer."""
    rules = {"ignore_eos": True, "temperature": 0, "top_k": 1, "samplers": ["top_k"], "cache_prompt": False}
    body = rules | {"prompt": item.prompt, "n_predict": item.new}
    status, answer = request(port, "POST", "/completion", json.dumps(body))
    if status != 200:
        raise RuntimeError(f"the server answered {status}: {answer}")
    return int(answer["tokens_predicted"])


def request(port: int, verb: str, path: str, body: str | None = None) -> tuple[int, Any]:
    link = http.client.HTTPConnection("127.0.0.1", port)
    try:
        link.request(verb, path, body, {"Content-Type": "application/json"})
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        link.close()


if __name__ == "__main__":
    main()
