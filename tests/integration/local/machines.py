"""State machines and events for the tests of the local AWS."""

import io
import json
import zipfile
from typing import Any

from tests.integration.local.training_world import TrainingWorld, allow, unique, until

RUNNING = {"RUNNING"}
LAMBDA_SOURCE = """
class NoSuchColumn(Exception):
    pass

calls = {}

def handler(event, context):
    who = event.get("who")
    calls[who] = calls.get(who, 0) + 1
    if calls[who] <= event.get("fail", 0):
        raise NoSuchColumn("term")
    return {"calls": calls[who], "version": context.function_version}
"""


class Machines:
    """Makes and runs state machines."""

    def __init__(self, world: TrainingWorld) -> None:
        self.world = world
        self.states = world.client("stepfunctions")

    def create(
        self,
        definition: dict[str, Any],
        *statements: dict[str, Any],
        role: str | None = None,
    ) -> str:
        """Make a JSONata machine whose role has these statements, or all rights; return its ARN."""
        role = role or self.world.role("states", *(statements or [allow("*")]))
        created = self.states.create_state_machine(
            name=unique("machine"),
            roleArn=role,
            definition=json.dumps({"QueryLanguage": "JSONata", **definition}),
        )
        return str(created["stateMachineArn"])

    def start(self, machine: str, value: Any = None) -> str:
        """Start an execution; return its ARN."""
        started = self.states.start_execution(
            stateMachineArn=machine, input=json.dumps({} if value is None else value)
        )
        return str(started["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        """Wait for the end of an execution; return its description, with output parsed."""

        def look() -> dict[str, Any] | None:
            found = self.states.describe_execution(executionArn=execution)
            return None if found["status"] in RUNNING else found

        found = until(look)
        if found["status"] == "SUCCEEDED":
            found["output"] = json.loads(found["output"])
        return found

    def run(
        self, definition: dict[str, Any], *statements: Any, value: Any = None
    ) -> dict[str, Any]:
        """Make a machine, run it, and return the description of the execution."""
        return self.ended(self.start(self.create(definition, *statements), value))

    def output(self, definition: dict[str, Any], *statements: Any, value: Any = None) -> Any:
        """Run a machine that shall succeed; return its output."""
        execution = self.run(definition, *statements, value=value)
        assert execution["status"] == "SUCCEEDED", (execution.get("error"), execution.get("cause"))
        return execution["output"]

    def function(self, source: str = LAMBDA_SOURCE) -> str:
        """Return the name of a function with this source, which tests share."""
        if source in self.world.functions:
            return self.world.functions[source]
        name = self.world.functions[source] = unique("function")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as content:
            content.writestr("app.py", source)
        client = self.world.client("lambda")
        client.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="app.handler",
            Role=self.world.role("lambda"),
            Code={"ZipFile": archive.getvalue()},
        )
        client.get_waiter("function_active_v2").wait(FunctionName=name)
        return name


class Events:
    """The events of the default bus that match a pattern."""

    def __init__(self, world: TrainingWorld, pattern: dict[str, Any]) -> None:
        name = unique("events")
        self._sqs = world.client("sqs")
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        events = world.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}
        events.put_targets(Rule=name, Targets=[target])
        self._seen: list[dict[str, Any]] = []

    def until_one_is(self, member: str, value: str) -> list[dict[str, Any]]:
        """Return all events so far, once the detail of one has this member."""

        def look() -> bool:
            answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                self._seen.append(json.loads(message["Body"]))
                self._sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
            return any(event["detail"].get(member) == value for event in self._seen)

        until(look)
        return self._seen


def task(resource: str, arguments: Any, **members: Any) -> dict[str, Any]:
    """Return a task state; it is the last one unless `members` say Next."""
    if not resource.startswith("arn:"):
        resource = f"arn:aws:states:::{resource}"
    ends = {} if "Next" in members else {"End": True}
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, **ends, **members}


def only(state: dict[str, Any], **machine: Any) -> dict[str, Any]:
    """Return a definition with one state, and `Caught`, which shows the error it got."""
    caught = {"Type": "Pass", "End": True, "Output": "{% $states.input %}"}
    return {"StartAt": "Only", "States": {"Only": state, "Caught": caught}, **machine}


def catching(*names: str) -> list[dict[str, Any]]:
    """Return a Catch of these errors whose output is the error."""
    return [{"ErrorEquals": list(names), "Output": "{% $states.errorOutput %}", "Next": "Caught"}]
