"""What the template says of runbooks, settings and samples is there."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEMPLATES = (ROOT / "template.yaml", *sorted((ROOT / "patterns").glob("*.yaml")))
FUNCTIONS = sorted((ROOT / "functions").glob("*/*/app.py"))
# What Lambda itself sets, and what a release sets when it publishes.
GIVEN = {"aws_region", "aws_lambda_function_version"}


def _block(app: Path) -> str:
    """Return the template text of the function whose code this is."""
    uri = f"functions/{app.parent.parent.name}/{app.parent.name}/"
    for template in TEMPLATES:
        for block in re.split(r"\n(?=  \w+:\n)", template.read_text()):
            if re.search(rf"CodeUri: (\.\./)?{re.escape(uri)}\n", block):
                return block
    raise AssertionError(f"no template has {uri}")


def test_no_function_may_touch_functions_or_executions_of_another_stack() -> None:
    text = "".join(template.read_text() for template in TEMPLATES)
    assert re.findall(r":function:\$\{AWS::StackName\}-\*|:execution:\*|:function:\*", text) == []


@pytest.mark.parametrize("app", FUNCTIONS, ids=lambda app: app.parent.name)
def test_a_function_gets_the_settings_that_it_reads_and_no_others(app: Path) -> None:
    settings = next(
        node
        for node in ast.parse(app.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    )
    fields = {
        item.target.id: item.value for item in settings.body if isinstance(item, ast.AnnAssign)
    }  # type: ignore[union-attr]
    variables = _block(app).partition("Variables:\n")[2]
    given = {name.lower() for name in re.findall(r"^ {10}([A-Z_]+): ", variables, re.MULTILINE)}
    needed = {name for name, default in fields.items() if default is None} - GIVEN
    assert needed <= given
    assert given <= set(fields)


@pytest.mark.parametrize("app", FUNCTIONS, ids=lambda app: app.parent.name)
def test_each_function_has_a_sample_event(app: Path) -> None:
    folder = ROOT / "events" / app.parent.parent.name
    samples = list(folder.glob(f"{app.parent.name}*.json"))
    assert samples
    assert all(json.loads(sample.read_text()) for sample in samples)
