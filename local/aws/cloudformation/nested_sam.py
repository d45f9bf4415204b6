"""Nested SAM templates.

AWS expands a nested template that declares the SAM transform like any other, and on an update an
unchanged resource of it keeps its attributes (AWS::Serverless::Application, SAM Developer Guide).
MiniStack 1.5.33 expands the root template alone, so a child's AWS::Serverless::Function is an
unknown type, and forgets the attributes of a child's unchanged resources when it updates it.
Seams: engine._parse_template and _apply_transforms, provisioners._update_resource, the handler of
AWS::CloudFormation::Stack.
"""

import contextvars
from collections.abc import Callable
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, provisioners

from local.aws.seams import seam

# How deep in nested stacks this thread is: the root is expanded by its own handler.
_nested = contextvars.ContextVar("nested", default=False)


def install() -> None:
    """Expand nested templates as their parents are."""
    parse = seam(engine, "_parse_template")
    seam(engine, "_apply_transforms")
    update = seam(provisioners, "_update_resource")
    handler = seam(seam(provisioners, "_RESOURCE_HANDLERS"), "AWS::CloudFormation::Stack")

    def parse_expanded(template_body: str) -> Any:
        template = parse(template_body)
        if not _nested.get():
            return template
        expanded = engine._apply_transforms(template)
        if isinstance(expanded, engine._TransformFailed):
            raise ValueError(expanded.error)
        return expanded

    def update_with_attributes(
        resource_type: str,
        physical_id: str,
        old_props: dict[str, Any],
        new_props: dict[str, Any],
        stack_name: str,
        logical_id: str | None = None,
        old_attrs: dict[str, Any] | None = None,
    ) -> Any:
        if old_attrs is None:
            stack = seam(cloudformation, "_stacks").get(stack_name) or {}
            old_attrs = stack.get("_resources", {}).get(logical_id, {}).get("Attributes")
        return update(
            resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs
        )

    engine._parse_template = parse_expanded
    provisioners._update_resource = update_with_attributes
    for operation in ("create", "update"):
        handler[operation] = _as_nested(seam(handler, operation))


def _as_nested(deploy: Callable[..., Any]) -> Callable[..., Any]:
    def deploy_nested(*args: Any) -> Any:
        token = _nested.set(True)
        try:
            return deploy(*args)
        finally:
            _nested.reset(token)

    return deploy_nested
