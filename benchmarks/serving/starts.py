"""What a fresh process does until its first answer, as programs of their own.

Each is run by `python starts.py NAME` in the environment of its layer. Whatever it imports is a
part of what is measured, so nothing is imported above.
"""

import sys


def runtime() -> None:
    """Import numpy and ONNX Runtime, and open the session: what any ONNX service does."""
    import os

    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.environ["PACKAGE"] + "/model.onnx", options)
    assert numpy
    assert session


def function() -> None:
    """Import the function as Lambda does and ask it once."""
    import app

    _ask(lambda event: app.handler(event, _Context))


def from_disk() -> None:
    """Load the package from a folder, as from a layer that each version has of its own."""
    _answer(lambda name: _file(name))


def from_boto3() -> None:
    """Load it with a client of boto3, as its documentation shows."""
    import boto3

    s3 = boto3.client("s3")
    _answer(lambda name: s3.get_object(Bucket="b", Key=f"p/{name}")["Body"].read())


def from_presigned() -> None:
    """Load it from URLs that somebody else has signed."""
    import os
    from urllib.request import urlopen

    place = os.environ["AWS_ENDPOINT_URL_S3"] + "/b/p/"
    query = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=" + "0" * 64
    _answer(lambda name: urlopen(place + name + query).read())


def from_http_client() -> None:
    """Load it as the function did before: http.client, signed, one file after the other."""
    import os
    import time
    from http.client import HTTPConnection, HTTPSConnection
    from urllib.parse import urlsplit

    from boringml.adapters.s3_signature import Credentials, signed_headers

    place = urlsplit(os.environ["AWS_ENDPOINT_URL_S3"])
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    connection = kind(place.netloc, timeout=3)

    def fetch(name: str) -> bytes:
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        keys = Credentials("a", "s")
        path = f"/b/p/{name}"
        headers = signed_headers(keys, "eu-west-1", place.netloc, path, now)
        connection.request("GET", path, headers=headers)
        return connection.getresponse().read()

    _answer(fetch)


def sklearn() -> None:
    """Load model.joblib by the runtime for models without a faithful export, from a folder."""
    import os

    from boringml.serving.joblib_model import load_joblib_model
    from boringml.serving.predict import Predictor

    model = load_joblib_model(_file, "credit", os.environ["MODEL_DIGEST"], 3)
    _ask(Predictor("credit", model, "7").answer)


class _Context:
    aws_request_id = "invocation-1"


def _answer(fetch):  # type: ignore[no-untyped-def]
    import os

    from boringml.serving.model import load_model
    from boringml.serving.predict import Predictor

    model = load_model(fetch, "credit", os.environ["MODEL_DIGEST"], 3)
    _ask(Predictor("credit", model, "7").answer)


def _ask(answer):  # type: ignore[no-untyped-def]
    import json
    import os

    with open(os.environ["EVENT"]) as stream:  # noqa: PTH123 - pathlib is not free
        event = json.load(stream)
    assert answer(event)["statusCode"] == 200


def _file(name):  # type: ignore[no-untyped-def]
    import os

    with open(os.environ["PACKAGE"] + "/" + name, "rb") as stream:  # noqa: PTH123 - as above
        return stream.read()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
