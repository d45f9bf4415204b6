"""A GET signed with the standard library, held to botocore's signature."""

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.utils import percent_encode

from boringml.adapters.s3_get import S3Get
from boringml.adapters.s3_signature import Credentials, encoded_path, signed_headers

KEYS = ["packages/credit/job-1/model.onnx", "a b/c+d=e/é.json", "packages/~x/(1)!*'&$@:,;%2F"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "endpoint", ["", "http://127.0.0.1:4566", "http://localhost:4566/", "https://s3.test/below"]
)
@pytest.mark.parametrize("token", ["a/session+token==", ""])
@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1"])
def test_the_signature_is_botocores(key: str, endpoint: str, token: str, region: str) -> None:
    ours = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token)
    scheme, host, path = S3Get(ours, region, endpoint).place("a-bucket", key)
    request = AWSRequest("GET", f"{scheme}://{host}{path}")
    theirs = BotocoreCredentials(ours.access_key, ours.secret_key, token or None)
    S3SigV4Auth(theirs, "s3", region).add_auth(request)
    headers = signed_headers(ours, region, host, path, request.headers["X-Amz-Date"])
    assert headers["authorization"] == request.headers["Authorization"]
    assert headers.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")
    assert headers["x-amz-content-sha256"] == request.headers["X-Amz-Content-SHA256"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_encoded_as_botocore_encodes_it(key: str) -> None:
    assert encoded_path(key) == percent_encode(key, safe="/-._~")
