"""MOCK integrations.

AWS renders the response template of a MOCK integration: $context variables and $input.params are
replaced, and response headers may be mapped from $context ("Mock integrations in API Gateway").
MiniStack 1.5.33 answers the template as it is written.
Seam: apigateway_v1._invoke_mock_v1, _render_request_template_v1.
"""

from typing import Any

from ministack.services import apigateway_v1 as gateway

from local.aws.apigateway import requests
from local.aws.seams import seam


def install() -> None:
    """Render the response templates of MOCK integrations."""
    invoke = seam(gateway, "_invoke_mock_v1")
    seam(gateway, "_render_request_template_v1")

    def invoke_mock(integration: dict[str, Any]) -> Any:
        status, headers, body = invoke(integration)
        request = requests.current()
        if request is None:
            return status, headers, body
        variables = request.variables()
        headers = {
            name: variables.get(value, value) if isinstance(value, str) else value
            for name, value in headers.items()
        }
        # $input.params looks into the path first, then the query, then the headers.
        query = request.fields["query_params"].items()
        parameters = {
            **request.fields["headers"],
            **{name: values[0] for name, values in query if values},
            **request.fields["path_params"],
        }
        text = gateway._render_request_template_v1(
            request.render(body.decode()), request.body.decode(errors="replace"), parameters
        )
        return status, headers, text.encode()

    gateway._invoke_mock_v1 = invoke_mock
