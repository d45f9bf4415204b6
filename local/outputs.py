"""Outputs of a stack, and how its URLs read on the local AWS."""

import re
from typing import Any

EXECUTE_API = re.compile(r"https://([a-z0-9]+)\.execute-api\.[^/]+/?(.*)")


def local_url(value: str, endpoint_url: str) -> str:
    """Return where the local AWS serves an API URL of AWS; any other value as it is."""
    found = EXECUTE_API.fullmatch(value)
    if found is None:
        return value
    return f"{endpoint_url}/_aws/execute-api/{found[1]}/{found[2]}"


def stack_outputs(client: Any, stack_name: str, endpoint_url: str) -> dict[str, str]:
    """Return the outputs of a stack, with local URLs. `client` is one of CloudFormation."""
    stack = client.describe_stacks(StackName=stack_name)["Stacks"][0]
    return {
        item["OutputKey"]: local_url(item["OutputValue"], endpoint_url)
        for item in stack.get("Outputs", [])
    }


def variable_name(output: str) -> str:
    """Return the environment variable of an output: ApiUrl is BORINGML_API_URL."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", output)
    return f"BORINGML_{words.upper()}"
