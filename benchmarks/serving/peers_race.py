"""Our function beside other model servers: `python -m benchmarks.serving.peers_race`.

The same pipeline of credit, the same record, over loopback, one worker each, set up as its own
documentation says, in an environment of locked versions. One client asks over a connection that it
keeps; then eight do at once. The function runs behind awslambdaric, the client that Lambda runs,
and the interface emulator of the SAM CLI: that is the path inside an execution environment, without
API Gateway and without Lambda's own front. It takes one call at a time, so of its eight clients
seven wait for their turn, where Lambda would give each an environment of its own.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.environments import HOME
from benchmarks.goals import Goal, write
from benchmarks.racing import Race, Spread
from benchmarks.serving import credit
from benchmarks.serving.servers import PEERS, Server, functions, peers

CLIENTS = 8
SECONDS = 0.5


def timed(server: Server, seconds: float, times: list[float]) -> None:
    """Ask for so long; append the microseconds of each answer."""
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        server.ask()
        times.append((time.perf_counter() - begin) * 1e6)


def turn(server: Server, clients: int) -> list[float]:
    """Return the times of one turn of so many clients."""
    times: list[float] = []
    if clients == 1:
        timed(server, SECONDS, times)
        return times
    threads = [
        threading.Thread(target=timed, args=(server, SECONDS, times)) for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def race(servers: Mapping[str, Server], clients: int, rounds: int) -> Race:
    """Let the servers take turns, one round before those that count."""
    times: dict[str, list[list[float]]] = {name: [] for name in servers}
    for server in servers.values():
        turn(server, clients)
    for number in range(rounds):
        for name in list(servers)[:: 1 if number % 2 else -1]:
            times[name].append(turn(servers[name], clients))
    return Race(times)


def told(found: Race) -> dict[str, Any]:
    """Return p50 and p99 in milliseconds, and answers a second, of each server."""
    return {
        name: {
            "p50_ms": _milliseconds(found.quantile(name, 0.5)),
            "p99_ms": _milliseconds(found.quantile(name, 0.99)),
            "answers_a_second": Spread.of([len(each) / SECONDS for each in rounds]).rounded(0),
        }
        for name, rounds in found.times.items()
    }


def _milliseconds(values: list[float]) -> dict[str, float]:
    return Spread.of([value / 1000 for value in values]).rounded()


def versions() -> dict[str, str]:
    """Return the pinned version of each peer."""
    found = {}
    for name in ("mlflow", "bentoml", "litserve", "fastapi", "uvicorn", "awslambdaric"):
        for path in sorted(PEERS.glob("requirements-*.txt")):
            for line in path.read_text().splitlines():
                if line.startswith(f"{name}=="):
                    found[name] = line.partition("==")[2].strip(" \\")
    return found


def main() -> None:
    """Measure, print and write benchmarks/results/serving-peers.json."""
    parser = argparse.ArgumentParser(description="Our function beside other model servers.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--home", type=Path, help="folder to keep the trained model in")
    asked = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        package = credit.train(asked.home or home / "ml")
        features = credit.model_of(package).contract.features.names
        (loan,) = credit.records(1)
        # In the order of a frame, which MLflow is told.
        record = {name: loan[name] for name in features}
        print("peers: the model is trained, starting the servers", flush=True)
        with functions(package, home, record) as ours, peers(package, home, record) as others:
            facts = machine.facts(("onnxruntime", "scikit-learn"))
            servers = {**ours, **others}
            answers = {name: server.ask().decode()[:300] for name, server in servers.items()}
            print("peers: measuring", flush=True)
            one = race(servers, 1, asked.rounds)
            served = {n: s for n, s in servers.items() if n not in ("null", "raw")}
            eight = race(served, CLIENTS, asked.rounds)
            hundred = json.dumps(credit.event(credit.records(100))).encode()
            function = ours["function"]
            long = Server(function.port, function.path, hundred, function.turns)
            lists = race({"one": function, "100": long}, 1, asked.rounds)
    beside = (
        f"FastAPI + ONNX, which has no log: {one.ratio('FastAPI + ONNX', 'function').median:.2f}"
    )
    goals = [
        Goal(
            "through Lambda's runtime client over a handler that returns nothing",
            "at most",
            1.25,
            one.ratio("function", "null"),
            "",
            f"session.run alone, on a ready record: {one.ratio('raw', 'null').median:.2f}",
        ),
        Goal("p50 of MLflow over ours", "at least", 8, one.ratio("MLflow", "function"), "", beside),
        Goal(
            "p50 of BentoML over ours", "at least", 6, one.ratio("BentoML", "function"), "", beside
        ),
        Goal(
            "100 records over one record, through Lambda's runtime client",
            "at most",
            10,
            lists.ratio("100", "one"),
        ),
    ]
    report = {
        "machine": facts,
        "versions": versions(),
        "rounds": asked.rounds,
        "goals": [goal.told() for goal in goals],
        "one_client": told(one),
        "eight_clients": told(eight),
        "over_ours": {name: one.ratio(name, "function").rounded() for name in servers},
        "answers": answers,
    }
    write("serving-peers", report)
    for goal in goals:
        print(f"{goal.measured.median:8.2f} ({goal.sense} {goal.goal:g})  {goal.what}")
    for kind, found in (("one client", one), ("eight", eight)):
        medians = ", ".join(f"{name} {found.p50(name).median / 1000:.2f}" for name in found.times)
        print(f"{kind}, p50 in ms: {medians}")


if __name__ == "__main__":
    main()
