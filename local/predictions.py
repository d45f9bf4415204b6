"""A client of the API that signs as IAM demands: what a user's own service would do."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, parsed JSON body, and milliseconds on the wire and back."""

    status: int
    body: dict[str, Any]
    milliseconds: float


@dataclass(frozen=True)
class PredictionClient:
    """Calls `url`/models/<model>/predictions, and its other routes."""

    url: str
    credentials: Credentials
    region: str

    def predict(self, model: str, value: Any) -> Answer:
        """Return the answer to one record or a list of them."""
        return self.post(model, json.dumps(value).encode(), "application/json")

    def post(
        self,
        model: str,
        body: bytes,
        content_type: str | None,
        *,
        signed: bool = True,
        route: str = "predictions",
    ) -> Answer:
        """Return the answer to any body, good or bad."""
        url = f"{self.url}/models/{model}/{route}"
        # urllib sends a type of its own where there is none.
        headers: Mapping[str, str] = {"Content-Type": content_type or ""}
        if signed:
            request = AWSRequest("POST", url, data=body, headers=headers)
            SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
            headers = dict(request.headers)
        call = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310 - the operator's own endpoint
        begin = time.perf_counter()
        try:
            with urllib.request.urlopen(call, timeout=60) as answer:  # noqa: S310
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        milliseconds = (time.perf_counter() - begin) * 1000
        return Answer(status, json.loads(content or b"{}"), milliseconds)


def local_client(api_url: str) -> PredictionClient:
    """Return a client of an API on the local AWS."""
    return PredictionClient(api_url, Credentials("test", "test"), "us-east-1")
