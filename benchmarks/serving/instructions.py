"""How many instructions a request takes, by part: `python -m benchmarks.serving.instructions`.

Callgrind counts them (Debian's package valgrind), the same to a thousandth on each run and whatever
else the machine does, which no time is. Each part is called in a process under it; a call of
`os.getpgid`, which nothing else calls, ends one count and begins the next.
"""

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.goals import write
from benchmarks.racing import Call
from benchmarks.serving import credit
from benchmarks.serving.hot_path import competitors, lambda_stdout

CALLS = {"": 50, "100": 5}


def parts(package: Path) -> dict[str, Call]:
    """Return what is counted: raw and handler, and the parts of the handler."""
    model = credit.model_of(package)
    loans = credit.records(100)
    one, many = (json.dumps(body).encode() for body in (loans[0], loans))
    decode = model.decoder.decode
    record: Any = decode(one)
    records: Any = decode(many)
    logged: Any = decode(one)
    return {
        **competitors(package),
        "decode": lambda: decode(one),
        "predict": lambda: model.predict([record]),
        "encode for the log": lambda: model.decoder.loggable(logged),
        "decode 100": lambda: decode(many),
        "predict 100": lambda: model.predict(records),
    }


def called(package: Path, told: Callable[[str], object]) -> None:
    """Call each part, a mark before and after; tell its name and how often."""
    with lambda_stdout():
        found = parts(package)
        for call in found.values():
            for _ in itertools.repeat(None, 3):
                call()
        for name, call in found.items():
            calls = CALLS["100" if name.endswith("100") else ""]
            os.getpgid(0)
            for _ in itertools.repeat(None, calls):
                call()
            os.getpgid(0)
            told(json.dumps([name, calls]))


def count(package: Path) -> dict[str, int]:
    """Return the instructions of one call of each part. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        dump, names = Path(folder) / "dump", Path(folder) / "names"
        command = ["valgrind", "--quiet", "--tool=callgrind", "--dump-before=getpgid"]
        command += [f"--callgrind-out-file={dump}", sys.executable, "-m"]
        command += ["benchmarks.serving.instructions", "--home", package.parent, "--names", names]
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": "0"}, cwd=credit.ROOT, check=True
        )
        found = {}
        # The marks come in pairs: what is before a second one is a part.
        for number, line in enumerate(names.read_text().splitlines()):
            name, calls = json.loads(line)
            text = Path(f"{dump}.{2 * number + 2}").read_text()
            summed = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
            assert summed is not None
            found[name] = round(int(summed[1]) / calls)
        return found


def main() -> None:
    """Count, print and write benchmarks/results/serving-instructions.json."""
    parser = argparse.ArgumentParser(description="Instructions of a request, by part.")
    parser.add_argument("--home", type=Path, help="folder to keep the trained model in")
    parser.add_argument("--names", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.names:
        with asked.names.open("w") as stream:
            called(asked.home / "model", lambda line: stream.write(line + "\n"))
        return
    with tempfile.TemporaryDirectory() as folder:
        found = count(credit.train(asked.home or Path(folder)))
    report = {"machine": machine.facts(("onnxruntime", "msgspec", "orjson")), "instructions": found}
    write("serving-instructions", report)
    for name, instructions in found.items():
        print(f"{instructions:10,}  {name}")
    print(f"handler over raw: {found['handler'] / found['raw']:.3f}")


if __name__ == "__main__":
    main()
