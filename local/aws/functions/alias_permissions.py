"""Permissions of a single alias.

AWS judges GetAlias, UpdateAlias and DeleteAlias by their own names (Service Authorization
Reference, AWS Lambda). MiniStack 1.5.33 takes every call below /aliases for ListAliases or
CreateAlias, so a least-privilege role is refused. Seam: iam_actions._lambda_action.
"""

import re

from ministack.core import iam_actions

from local.aws.seams import seam

_ALIAS = re.compile(r"/functions/[^/]+/aliases/[^/]+/?$")
_ACTIONS = {"GET": "GetAlias", "PUT": "UpdateAlias", "DELETE": "DeleteAlias"}


def install() -> None:
    """Name the call on one alias as AWS does."""
    name = seam(iam_actions, "_lambda_action")

    def action(method: str, path: str) -> str | None:
        if _ALIAS.search(path) and method in _ACTIONS:
            return _ACTIONS[method]
        found: str | None = name(method, path)
        return found

    iam_actions._lambda_action = action
