"""The event of a stack whose status changed.

AWS sends it to the default event bus ("Managing events with AWS CloudFormation and Amazon
EventBridge", CloudFormation User Guide). MiniStack 1.5.33 sends none.
Seams: stacks._add_event, eventbridge._put_events.
"""

import json
from typing import Any

from ministack.services import eventbridge
from ministack.services.cloudformation import stacks

from local.aws.seams import seam

_STACK = "AWS::CloudFormation::Stack"


def install() -> None:
    """Send an event with each status of a stack."""
    add = seam(stacks, "_add_event")
    put_events = seam(eventbridge, "_put_events")

    def add_and_send(
        stack_id: str,
        stack_name: str,
        logical_id: str,
        resource_type: str,
        status: str,
        reason: str = "",
        physical_id: str = "",
        detailed_status: str = "",
    ) -> Any:
        add(
            stack_id,
            stack_name,
            logical_id,
            resource_type,
            status,
            reason,
            physical_id,
            detailed_status,
        )
        # A nested stack is a resource of its parent too: that event is the parent's.
        if resource_type == _STACK and physical_id == stack_id:
            entry = {
                "Source": "aws.cloudformation",
                "DetailType": "CloudFormation Stack Status Change",
                "Resources": [stack_id],
                "Detail": json.dumps(
                    {
                        "stack-id": stack_id,
                        "status-details": {"status": status, "status-reason": reason},
                    }
                ),
            }
            put_events({"Entries": [entry]}, allow_aws_source=True)

    stacks._add_event = add_and_send
