"""Execution environments of functions, as AWS gives them."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.paths import FUNCTIONS_PYTHON
from local.server import LocalAWS
from tests.integration.local.conftest import MakeFunction, unique, until, zipped

Invoke = Callable[..., Any]


def test_a_function_sees_nothing_of_the_local_aws(
    make_function: MakeFunction, invoke: Invoke
) -> None:
    name = make_function(
        "import importlib.util, os, sys\n"
        "def handler(event, context):\n"
        "    names = ('ministack', 'local', 'hypercorn')\n"
        "    found = [name for name in names if importlib.util.find_spec(name)]\n"
        "    return {'prefix': sys.prefix, 'found': found, 'names': sorted(os.environ)}\n",
        Environment={"Variables": {"OWN": "1"}},
    )
    seen = invoke(name)
    assert seen["prefix"] == str(FUNCTIONS_PYTHON.parents[1])
    assert seen["found"] == []
    assert "OWN" in seen["names"]
    assert not {"STATE_DIR", "AUTH", "HOME", "LOCAL_AWS_PID_FILE"} & set(seen["names"])


def test_code_of_a_function_covers_the_code_of_its_layers(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Invoke
) -> None:
    client = local_aws.client("lambda")
    layers = [
        client.publish_layer_version(
            LayerName=unique("layer"),
            Content={
                "ZipFile": zipped(
                    {f"python/{module}.py": f"FROM = '{text}'" for module, text in modules.items()}
                )
            },
        )["LayerVersionArn"]
        for modules in (
            {"both": "layer 1", "one": "layer 1", "layers": "layer 1"},
            {"layers": "layer 2"},
        )
    ]
    name = make_function(
        "import both, one, layers\n"
        "def handler(event, context):\n"
        "    return [both.FROM, one.FROM, layers.FROM]\n",
        files={"both.py": "FROM = 'function'"},
        Layers=layers,
    )
    assert invoke(name) == ["function", "layer 1", "layer 2"]


def test_the_class_of_an_exception_is_the_error_type(
    make_function: MakeFunction, invoke: Invoke
) -> None:
    name = make_function(
        "class StockError(Exception): pass\n"
        "def handler(event, context):\n"
        "    raise StockError('out of stock')\n"
    )
    error = invoke(name)
    assert error["errorType"] == "StockError"
    assert error["errorMessage"] == "out of stock"
    assert "raise StockError" in error["stackTrace"][-1]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("raise ArithmeticError('no model')", "ArithmeticError"),
        ("import nothing_of_the_kind", "Runtime.ImportModuleError"),
        ("def other(): pass", "Runtime.HandlerNotFound"),
        ("def handler(:", "Runtime.UserCodeSyntaxError"),
        ("import sys; sys.exit(4)", "Runtime.ExitError"),
        ("import os; os._exit(4)", "Runtime.ExitError"),
        ("def handler(event, context): return object()", "Runtime.MarshalError"),
        ("import os\ndef handler(event, context): os._exit(1)", "Runtime.ExitError"),
    ],
)
def test_a_function_that_cannot_answer_says_why(
    make_function: MakeFunction, invoke: Invoke, source: str, kind: str
) -> None:
    assert invoke(make_function(source))["errorType"] == kind


def test_a_failed_start_is_tried_again_by_the_next_invocation(
    make_function: MakeFunction, invoke: Invoke, tmp_path: Any
) -> None:
    flag = tmp_path / "ready"
    name = make_function(
        f"import pathlib\npathlib.Path('{flag}').read_text()\n"
        "def handler(event, context): return 'up'\n"
    )
    assert invoke(name)["errorType"] == "FileNotFoundError"
    flag.write_text("")
    assert invoke(name) == "up"


def test_an_environment_survives_an_exception(make_function: MakeFunction, invoke: Invoke) -> None:
    name = make_function(
        "calls = []\n"
        "def handler(event, context):\n"
        "    calls.append(event)\n"
        "    if event == 'bad': raise ValueError(event)\n"
        "    return calls\n"
    )
    invoke(name, "bad")
    assert invoke(name, "good") == ["bad", "good"]


def test_a_silent_handler_answers_at_once(make_function: MakeFunction, invoke: Invoke) -> None:
    name = make_function("def handler(event, context): return event\n")
    invoke(name)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        invoke(name)
        times.append(time.perf_counter() - start)
    assert sorted(times)[10] < 0.03, "MiniStack alone waits 50 ms for output"


def test_all_that_an_invocation_prints_is_in_its_log(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Invoke
) -> None:
    name = make_function(
        "import logging, os, sys\n"
        "logging.getLogger().setLevel('INFO')\n"
        "print('while loading')\n"
        "def handler(event, context):\n"
        "    print('grüße')\n"
        "    os.write(1, b'from machine code\\xff\\n')\n"
        "    logging.info('through logging')\n"
        "    sys.stderr.write('without an end of line')\n"
    )
    invoke(name)
    logs = local_aws.client("logs")
    group = f"/aws/lambda/{name}"
    events = logs.filter_log_events(logGroupName=group)["events"]
    text = "\n".join(event["message"] for event in events)
    for part in (
        "while loading",
        "grüße",
        "from machine code",
        "[INFO]",
        "through logging",
        "without an end of line",
    ):
        assert part in text
    assert "lambda-output-ends" not in text


def test_a_function_that_takes_too_long_is_stopped(
    make_function: MakeFunction, invoke: Invoke
) -> None:
    name = make_function("import time\ndef handler(event, context): time.sleep(9)\n", Timeout=1)
    error = invoke(name)
    assert error["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in error["errorMessage"]


def test_a_module_that_loads_too_slowly_is_stopped_as_a_timeout(
    make_function: MakeFunction, invoke: Invoke
) -> None:
    name = make_function(
        "import time\ntime.sleep(60)\ndef handler(event, context): pass\n", Timeout=1
    )
    error = invoke(name)
    assert error["errorType"] == "Sandbox.Timedout"
    assert "not loaded within 11 s, so the local AWS stopped it" in error["errorMessage"]


def test_the_context_knows_function_version_and_time_left(
    make_function: MakeFunction, invoke: Invoke
) -> None:
    name = make_function(
        "def handler(event, context):\n"
        "    return [context.function_name, context.function_version,\n"
        "            context.invoked_function_arn, context.get_remaining_time_in_millis()]\n"
    )
    function, version, arn, left = invoke(name)
    assert (function, version) == (name, "$LATEST")
    assert arn.endswith(f":function:{name}")
    assert 3000 < left <= 5000


def test_an_environment_that_does_not_start_leaves_the_others_alone(
    local_aws: LocalAWS, make_function: MakeFunction, invoke: Invoke, tmp_path: Path
) -> None:
    marker = tmp_path / "begun"
    name = make_function(
        "import os, pathlib, signal, time\n"
        f"BEGUN = pathlib.Path({str(marker)!r})\n"
        # The first one starts; whoever starts while it works is killed before its handler is there.
        "if BEGUN.exists(): os.kill(os.getpid(), signal.SIGKILL)\n"
        "def handler(event, context):\n"
        "    BEGUN.touch()\n"
        "    deadline = time.time() + 20\n"
        "    while BEGUN.exists() and time.time() < deadline: time.sleep(0.05)\n"
        "    return 'finished'\n",
        Timeout=30,
    )
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(invoke, name)
        until(marker.exists, 20)
        error = invoke(name)
        assert error["errorType"] == "Runtime.ExitError"
        assert "killed by SIGKILL, not by the local AWS" in error["errorMessage"]
        marker.unlink()
        assert first.result(timeout=30) == "finished"
