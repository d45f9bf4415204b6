"""A client of asynchronous jobs that signs as IAM demands: what a user's own service would do."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from boringml.jobs.states import FINAL

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class JobAnswer:
    """An HTTP answer: status, headers, parsed JSON body, and the URL that was asked."""

    status: int
    headers: Mapping[str, str]
    body: Any
    url: str

    @property
    def location(self) -> str:
        """The URL of the job that a POST made: Location is relative to the URL of the POST."""
        return urllib.parse.urljoin(self.url, self.headers["Location"])


@dataclass(frozen=True)
class JobClient:
    """Calls `url`/models/<model>/jobs and what it is sent to."""

    url: str
    credentials: Credentials
    region: str

    def post(self, model: str, body: Any, headers: Mapping[str, str] = _NONE) -> JobAnswer:
        """Post a job; bytes are sent as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **headers}
        return self.call("POST", f"{self.url}/models/{model}/jobs", data, sent)

    def get(self, job_id: str) -> JobAnswer:
        """Ask for a job."""
        return self.call("GET", f"{self.url}/jobs/{urllib.parse.quote(job_id)}")

    def final(self, job_id: str, seconds: float = 180) -> dict[str, Any]:
        """Return a job once it is final. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.get(job_id)
            if answer.status != 200 or answer.body["status"] in FINAL:
                found: dict[str, Any] = answer.body
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"{job_id} is {answer.body['status']} after {seconds:.0f} s")
            time.sleep(0.1)

    def call(
        self, method: str, url: str, data: bytes | None = None, headers: Mapping[str, str] = _NONE
    ) -> JobAnswer:
        """Return the answer to any request, signed."""
        request = AWSRequest(method, url, data=data, headers=dict(headers))
        SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        call = urllib.request.Request(url, data=data, headers=dict(request.headers), method=method)  # noqa: S310 - the operator's own endpoint
        try:
            with urllib.request.urlopen(call, timeout=60) as answer:  # noqa: S310
                status, told, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, told, content = error.code, error.headers, error.read()
        return JobAnswer(status, told, json.loads(content or b"{}"), url)


def local_job_client(api_url: str, key: str = "test", secret: str = "test") -> JobClient:  # noqa: S107
    """Return a client of an API on the local AWS."""
    return JobClient(api_url, Credentials(key, secret), "us-east-1")
