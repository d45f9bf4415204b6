"""Facts of the registry in words: the command's tables and the operations page say them alike."""


def who(by: str) -> str:
    """Return the end of an ARN, which is what tells executions and people apart."""
    return by.rsplit(":", 2)[-1] if by.startswith("arn:") else by
