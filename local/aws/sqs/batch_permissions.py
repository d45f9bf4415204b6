"""Permissions of batch calls.

AWS judges SendMessageBatch, DeleteMessageBatch and ChangeMessageVisibilityBatch by the actions of
single messages (Service Authorization Reference, Amazon SQS, has no others).
MiniStack 1.5.33 asks for actions that no policy can name, so a least-privilege role is refused.
Seam: iam_actions._action_from_target.
"""

from ministack.core import iam_actions

from local.aws.seams import seam


def install() -> None:
    """Name batch calls as AWS does."""
    name = seam(iam_actions, "_action_from_target")

    def action(headers: dict[str, str]) -> str | None:
        found: str | None = name(headers)
        if found and headers.get("x-amz-target", "").startswith("AmazonSQS."):
            return found.removesuffix("Batch")
        return found

    iam_actions._action_from_target = action
