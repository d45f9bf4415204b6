"""Check every state machine: the language's schema, the repository's rules, and service calls.

`python -m tools.check_statemachines` prints one line for each of statemachines/*.asl.yaml, and
exits 1 on a finding.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]

from tools.state_machine_calls import calls, is_expression
from tools.state_machine_rules import broken

ROOT = Path(__file__).resolve().parents[1]
# JSONata is allowed here ("Task workflow state" and "Map workflow state", Step Functions Developer
# Guide), which the schema of cfn-lint 1.58 does not know: it is shown a number.
COMPUTED = (
    "TimeoutSeconds",
    "HeartbeatSeconds",
    "MaxConcurrency",
    "ToleratedFailurePercentage",
)
ACCOUNT = "us-east-1:123456789012"


def arn(name: str) -> str:
    """Return an ARN as the template would put it in place of ${name}."""
    if name.endswith("StateMachine"):
        return f"arn:aws:states:{ACCOUNT}:stateMachine:{name}"
    return f"arn:aws:lambda:{ACCOUNT}:function:{name}"


def parsed(text: str) -> Any:
    """Return the definition with an ARN in place of each ${substitution}."""
    return yaml.safe_load(re.sub(r"\$\{(\w+)\}", lambda found: arn(found[1]), text))


def as_linted(node: Any) -> Any:
    """Return the definition with a number in place of each time limit that is computed."""
    if isinstance(node, list):
        return [as_linted(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: 1 if key in COMPUTED and is_expression(value) else as_linted(value)
        for key, value in node.items()
    }


def schema_findings(machine: Any) -> list[str]:
    """Return what cfn-lint says of a template that has this machine alone (rule E3601)."""
    properties = {
        "RoleArn": "arn:aws:iam::123456789012:role/states",
        "Definition": as_linted(machine),
    }
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Machine": resource}}
    matches = lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))
    found = []
    for match in matches:
        path = ".".join(str(part) for part in (getattr(match, "path", None) or [])[4:])
        found.append(f"{match.rule.id} {path}: {match.message}")
    return found


def findings(text: str) -> list[str]:
    """Return all findings of one definition in YAML; rules need a definition that is one."""
    machine = parsed(text)
    if not isinstance(machine, dict) or not {"StartAt", "States"} <= machine.keys():
        return ["the definition has no StartAt and States"]
    return schema_findings(machine) or [*broken(machine), *calls(machine)]


def main() -> int:
    """Print one line for each state machine; return 1 if anything was found."""
    clean = True
    for path in sorted((ROOT / "statemachines").glob("*.asl.yaml")):
        found = findings(path.read_text())
        print(f"{path.relative_to(ROOT)}: {'; '.join(found) or 'clean'}")
        clean = clean and not found
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
