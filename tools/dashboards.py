"""Write dashboards/dashboards.yaml, a nested template, from the declarations of the models.

`python -m tools.dashboards` writes it, `--check` exits 1 when the file is stale. What the bodies
need of the stack (names of functions, queues, alarms) are the template's parameters.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.dashboard_bodies import model_dashboard, pascal, platform_dashboard
from tools.declarations import declared
from tools.generated import write_or_check

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "dashboards" / "dashboards.yaml"
HEADER = """\
# Written by `python -m tools.dashboards` from models/*/model.yaml: edit those, or the tool.
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: The dashboards - one of each model, one of the platform.
"""


def declarations(root: Path = ROOT) -> Iterator[dict[str, Any]]:
    """Yield what each model declares, by name."""
    for model, _contract in declared(root):
        yield model


def bodies(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return the body of each dashboard, by the logical id of its resource."""
    models = list(declarations(root))
    made = {f"{pascal(model['name'])}Dashboard": model_dashboard(model) for model in models}
    return {**made, "PlatformDashboard": platform_dashboard(models)}


def written(body: dict[str, Any]) -> str:
    """Return a body as text, a widget a line. It is JSON once its placeholders are filled in."""
    outer = {key: value for key, value in body.items() if key != "widgets"}
    widgets = ",\n".join("  " + json.dumps(widget) for widget in body["widgets"])
    # A part of an array, filled in whole: its quotes are the placeholder's own.
    widgets = re.sub(r'"@(\$\{\w+\})"', r"\1", widgets)
    return f'{json.dumps(outer)[:-1]}, "widgets": [\n{widgets}\n]}}'


def placeholders(text: str) -> set[str]:
    """Return the names that Fn::Sub fills in, without those that AWS knows."""
    return set(re.findall(r"\$\{(\w+)\}", text))


def rendered(root: Path = ROOT) -> str:
    """Return the text that dashboards/dashboards.yaml is to have."""
    texts = {name: written(body) for name, body in bodies(root).items()}
    parameters = sorted(set().union(*(placeholders(text) for text in texts.values())))
    lines = [HEADER, "Parameters:"]
    lines += [f"  {name}: {{ Type: String }}" for name in parameters]
    lines += ["", "Resources:"]
    for name, text in texts.items():
        indented = "\n".join(" " * 8 + line for line in text.splitlines())
        lines += [
            f"  {name}:",
            "    Type: AWS::CloudWatch::Dashboard",
            "    Properties:",
            "      DashboardBody: !Sub |-",
            indented,
            "",
        ]
    lines.append("Outputs:")
    for name in texts:
        lines += [f"  {name}:", f"    Value: !Ref {name}"]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the template, or with --check say whether it is stale; return the exit status."""
    return write_or_check("tools.dashboards", __doc__, ROOT, TARGET, rendered, arguments)


if __name__ == "__main__":
    sys.exit(main())
