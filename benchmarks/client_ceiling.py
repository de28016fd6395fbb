"""How many answers the client of a server can carry, beside the clients of vLLM and guidellm. Prints one JSON object.

    python benchmarks/client_ceiling.py [--streams 256] [--seconds 5] [--rounds 3] [--clients 1,2] [--mocks 2]
        [--vllm-python VENV/bin/python] [--guidellm VENV/bin/guidellm] [--tokenizer DIR] [--out FILE]

All ask the same servers: `--mocks` mock processes on one port, among which the system deals out the connections, so
that they answer with more than one core. They make an answer once for each body, and send it in two pieces without
pace. An answer has 32 tokens, each in an event of its own. The clients take turns; of their rounds the best counts.

`client_us_each` is the processor time of all processes of a client for an answer. On a shared machine it
says more than requests/s: a client of many processes gets a larger part of it.

Then each client asks at half of its own ceiling a mock that waits 50 ms before the first token, at evenly or randomly
spaced times. `ttft_error_p99_ms` is the p99 of the time to first token by the client, less that by the mock's own clock
(from when it has read the request to its first byte). The peers count from their own sending until the bytes are read.
Of Assay there are three:

- `sent_error_p99_ms`: from sending until the bytes arrived, by the kernel's stamp, as other tools define it.
- `due_error_p99_ms`: the same from the time at which the request was due.
- `ttft_error_p99_ms`: from then until the process that measures has the token, on its way to LoadGen.

`told_late_p50_ms`, `_p99_ms` and `_max_ms` are from the arrival of the bytes until that process has the token.

The peers come from whoever runs this, each in an environment of its own; `--tokenizer` is a folder that they need for
their prompts. Everything shares this machine's cores: the ratios say more than the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from assay.endpoint.apis import APIS
from assay.endpoint.audit import AnswerTerms
from assay.endpoint.clients import process
from assay.endpoint.clients.crossing import Came, ClientSetting, EndedStream, Order, WrittenQuestion, packed
from assay.endpoint.clients.fleet import ClientFleet
from assay.endpoint.exchange import ClientLimits
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling

TOKENS, PROMPT = 32, 32
TTFT_MS = 50.0
BODIES = 64
PEER_SECONDS = 400.0
NANO = Path(__file__).resolve().parents[1] / "src" / "assay" / "nano" / "checkpoint"
VLLM = """
import time
import urllib.request
from vllm.benchmarks import serve
from vllm.utils.argparse_utils import FlexibleArgumentParser
whole = serve.benchmark
async def timed(*given, **named):
    before = time.process_time()
    made = await whole(*given, **named)
    return {**made, "cpu_s": time.process_time() - before}
serve.benchmark = timed
parser = FlexibleArgumentParser()
serve.add_cli_args(parser)
serve.main(parser.parse_args())
"""
"""The command line of `vllm bench serve` (the CPU wheel's own entry does not start: it has another name), with the
processor time of its requests, without that of its start and of its prompts."""


@contextmanager
def mocks(count: int, **script: Any) -> Iterator[tuple[str, list[int]]]:
    """The address of `count` mocks on one port, and their process ids."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mock.json"
        path.write_text(json.dumps({"context": 2**20, **script}))
        words = [sys.executable, "-m", "assay", "mock", "--share-port", "--script", str(path), "--port"]
        started: list[subprocess.Popen[str]] = []
        try:
            url = port = ""
            for _ in range(count):
                started.append(subprocess.Popen([*words, port or "0"], stdout=subprocess.PIPE, text=True))
                output = started[-1].stdout
                assert output is not None
                url = (re.search(r"http://\S+", output.readline()) or [""])[0]
                port = url.rpartition(":")[2]
            yield url, [each.pid for each in started]
        finally:
            for each in started:
                each.kill()
                each.wait()


def cpu_seconds(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def questions() -> list[msgspec.Raw]:
    made = []
    for number in range(BODIES):
        ids = tuple(range(100 + number, 100 + number + PROMPT))
        body = APIS["vllm"].body(Prompt(ids=ids), Sampling(max_tokens=TOKENS), "mock", None)
        made.append(msgspec.Raw(packed(WrittenQuestion(body, AnswerTerms(ids, (), 2, TOKENS, (2,))))))
    return made


class Asker:
    """Assay's own client, as the SUT process holds it."""

    def __init__(self, url: str, clients: int, streams: int) -> None:
        process.collect_seldom()
        self._questions = questions()
        self._changed = threading.Condition()
        self._numbers = self._open = self.ended = 0
        self._due: dict[int, int] = {}
        self.forget()
        setting = ClientSetting("vllm", (url,), None, ClientLimits(in_flight=streams))
        self.fleet = ClientFleet(setting, clients, self)

    def forget(self) -> None:
        """What is kept from now on is of requests that are not asked for yet."""
        self._due.clear()
        self._told: list[tuple[int, list[tuple[int, int, int]]]] = []
        self.streams: list[EndedStream] = []

    @property
    def told_ms(self) -> list[float]:
        """From when each request was due until its first token was here."""
        return [(now - self._due[number]) / 1e6 for now, firsts in self._told for number, *_ in firsts]

    @property
    def late_ms(self) -> list[float]:
        """From when the bytes of each first token arrived until it was here."""
        return [(now - arrived_ns) / 1e6 for now, firsts in self._told for *_, arrived_ns in firsts]

    def ask(self, due: list[int]) -> None:
        orders: list[Order] = []
        with self._changed:
            for at in due:
                orders.append((self._numbers, at, self._questions[self._numbers % BODIES]))
                self._due[self._numbers] = at
                self._numbers += 1
            self._open += len(due)
        self.fleet.ask(orders)

    def came(self, came: Came) -> None:
        now = time.monotonic_ns()
        with self._changed:
            self._told.append((now, came.firsts))
            self.streams += came.ended
            assert not any(ended.failure for ended in came.ended), came.ended
            self.ended += len(came.ended)
            self._open -= len(came.ended)
            self._changed.notify_all()

    def broke(self, error: BaseException) -> None:
        raise error

    def wait(self, most: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._open <= most)


def assay_ceiling(
    url: str, clients: int, streams: int, seconds: float, mock_pids: list[int]
) -> dict[str, float]:
    asker = Asker(url, clients, streams)
    pids = [os.getpid(), *asker.fleet.pids]
    asker.ask([time.monotonic_ns()] * 4 * streams)
    asker.wait(2 * streams)
    begin, done, own, theirs = time.monotonic(), asker.ended, cpu_seconds(pids), cpu_seconds(mock_pids)
    while time.monotonic() - begin < seconds:
        asker.ask([time.monotonic_ns()] * 2 * streams)
        asker.wait(2 * streams)
    took, count = time.monotonic() - begin, asker.ended - done
    found = {
        "requests_per_s": count / took,
        "client_us_each": (cpu_seconds(pids) - own) / count * 1e6,
        "mock_us_each": (cpu_seconds(mock_pids) - theirs) / count * 1e6,
    }
    asker.wait(0)
    asker.fleet.close()
    return found


def assay_ttft(url: str, clients: int, streams: int, rate: float, seconds: float) -> Asker:
    """With the times of its requests."""
    asker = Asker(url, clients, streams)
    asker.ask([time.monotonic_ns()] * streams)
    asker.wait(0)
    asker.forget()
    begin = time.monotonic_ns()
    for number in range(int(rate * seconds)):
        due = begin + int(number / rate * 1e9)
        if (wait := due - time.monotonic_ns()) > 0:
            time.sleep(wait / 1e9)
        asker.ask([due])
    asker.wait(0)
    asker.fleet.close()
    return asker


def p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * len(values))]


def mock_ttft(url: str, skipped: int) -> float:
    """p99 by the mock's own clock, ms, without its first requests."""
    # A line a request: more bytes than Assay reads of a server that it does not trust.
    with urllib.request.urlopen(f"{url}/mock/log", timeout=60) as log:
        rows = [row for row in json.load(log)[skipped:] if row["first_ns"]]
    return p99([(row["first_ns"] - row["arrived_ns"]) / 1e6 for row in rows])


def run_peer(words: list[str], made: Path) -> dict[str, Any]:
    """What it wrote. It and all its processes are gone afterwards. Raises: subprocess.SubprocessError."""
    peer = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        status = peer.wait(PEER_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(peer.pid, signal.SIGKILL)
        peer.wait()
    if status:
        raise subprocess.CalledProcessError(status, words[0])
    found: dict[str, Any] = json.loads(made.read_text())
    return found


def vllm(args: argparse.Namespace, url: str, count: int, rate: float | None = None) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        paced = ["--request-rate", str(rate)] if rate else ["--max-concurrency", str(args.streams)]
        words = [args.vllm_python, "-c", VLLM, "--backend", "openai", "--base-url", url, "--model", "mock"]
        words += ["--tokenizer", str(args.tokenizer), "--dataset-name", "random", "--ignore-eos"]
        words += ["--random-input-len", str(PROMPT), "--random-output-len", str(TOKENS), "--disable-tqdm"]
        words += ["--num-prompts", str(count), "--save-result", "--result-dir", folder, *paced]
        words += ["--result-filename", "made.json", "--metric-percentiles", "99"]
        made = run_peer(words, Path(folder) / "made.json")
    return {
        "requests_per_s": made["request_throughput"],
        "ttft_p99_ms": made["p99_ttft_ms"],
        "client_us_each": made["cpu_s"] / count * 1e6,
    }


def guidellm(args: argparse.Namespace, url: str, count: int, rate: float | None = None) -> dict[str, float]:
    profile = f"kind=constant,rate={rate}" if rate else f"kind=concurrent,streams={args.streams}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.json"
        words = [args.guidellm, "run", "--disable-console", "--output", f"kind=json,path={path}"]
        words += ["--backend", f"kind=openai_http,target={url},model=mock,request_format=/v1/completions"]
        words += ["--profile", profile, "--constraint", f"kind=max_requests,count={count}"]
        words += ["--data", f"kind=synthetic_text,prompt_tokens={PROMPT},output_tokens={TOKENS}"]
        words += ["--tokenizer", f"kind=hf_auto,model={args.tokenizer}"]
        made = run_peer(words, path)
    metrics = made["benchmarks"][0]["metrics"]
    return {
        "requests_per_s": metrics["requests_per_second"]["successful"]["mean"],
        "ttft_p99_ms": metrics["time_to_first_token_ms"]["successful"]["percentiles"]["p99"],
    }


Peer = Callable[..., dict[str, float]]


def peers_of(args: argparse.Namespace) -> dict[str, Peer]:
    found: dict[str, Peer] = {}
    if args.vllm_python:
        found["vllm bench serve"] = vllm
    if args.guidellm:
        found["guidellm"] = guidellm
    return found


def ceilings(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The best round of each client."""
    best: dict[str, dict[str, float]] = {}
    with mocks(args.mocks) as (url, pids):
        for round_ in range(args.rounds):
            for clients in args.clients:
                found = assay_ceiling(url, clients, args.streams, args.seconds, pids)
                keep(best, f"assay, {clients} clients", found, round_)
            for name, ask in peers_of(args).items():
                try:
                    found = ask(args, url, args.peer_requests)
                except (subprocess.SubprocessError, OSError) as error:
                    note(f"round {round_ + 1}, {name}: {error}"[:300])
                    continue
                keep(best, name, found, round_)
    return best


def keep(best: dict[str, dict[str, float]], name: str, found: dict[str, float], round_: int) -> None:
    rate, load = found["requests_per_s"], os.getloadavg()[0]
    each = f"{found['client_us_each']:.0f} us each, " if "client_us_each" in found else ""
    note(f"round {round_ + 1}, {name}: {rate:.0f} requests/s, {each}load {load:.1f}")
    if name not in best or rate > best[name]["requests_per_s"]:
        best[name] = {**found, "events_per_s": rate * TOKENS, "load": load}


def ttft_errors(args: argparse.Namespace, best: dict[str, dict[str, float]]) -> None:
    """Each client at half of its ceiling, against one mock that waits; written beside its ceiling.

    Streams are four times what that rate needs by Little's law, so that no request waits for a free one.
    """
    for name, found in best.items():
        rate = found["requests_per_s"] / 2
        streams = max(args.streams, int(4 * rate * TTFT_MS / 1000))
        try:
            with mocks(1, ttft_ms=TTFT_MS) as (url, _):
                if name.startswith("assay"):
                    made = assay_ttft(url, int(name.split()[1]), streams, rate, args.seconds)
                    true, seen = mock_ttft(url, streams), p99(made.told_ms)
                    found |= {
                        "sent_error_p99_ms": p99([each.first_ns / 1e6 for each in made.streams]) - true,
                        "due_error_p99_ms": p99(
                            [(each.late_ns + each.first_ns) / 1e6 for each in made.streams]
                        )
                        - true,
                        "told_late_p50_ms": statistics.median(made.late_ms),
                        "told_late_p99_ms": p99(made.late_ms),
                        "told_late_max_ms": max(made.late_ms),
                        "unstamped": sum(each.is_stamped is False for each in made.streams),
                    }
                else:
                    seen = peers_of(args)[name](args, url, int(rate * args.seconds), rate)["ttft_p99_ms"]
                    true = mock_ttft(url, 0)
                error = seen - true
        except (subprocess.SubprocessError, OSError) as trouble:
            note(f"time to first token, {name}: {trouble}"[:300])
            continue
        found |= {"rate_of_ttft_per_s": rate, "ttft_error_p99_ms": error}
        note(f"time to first token, {name}: {error:.2f} ms at {rate:.0f} requests/s")


def note(text: str) -> None:
    sys.stderr.write(text + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--streams", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    parser.add_argument("--mocks", type=int, default=2)
    parser.add_argument("--peer-requests", type=int, default=8000, help="of each round of vllm bench serve")
    parser.add_argument("--vllm-python", default="")
    parser.add_argument("--guidellm", default="")
    parser.add_argument("--tokenizer", type=Path, default=NANO)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    best = ceilings(args)
    ttft_errors(args, best)
    own = max(
        (found["requests_per_s"] for name, found in best.items() if name.startswith("assay")), default=0.0
    )
    made = {
        "machine": {"processor": processor(), "cores": os.cpu_count(), "load": os.getloadavg()[0]},
        "python": platform.python_version(),
        "streams": args.streams,
        "tokens": TOKENS,
        "mocks": args.mocks,
        "clients": best,
        "ratios": {
            name: own / found["requests_per_s"]
            for name, found in best.items()
            if not name.startswith("assay")
        },
    }
    text = json.dumps(made, indent=1)
    if args.out:
        args.out.write_text(text + "\n")
    sys.stdout.write(text + "\n")
    return 0


def processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    return found[1] if found else platform.processor()


if __name__ == "__main__":
    sys.exit(main())
