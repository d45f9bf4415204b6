"""Answers what it was configured with."""

import json
import os

from words import WORD


def handler(event, context):
    """Return an API Gateway response."""
    seen = {
        "greeting": os.environ["GREETING"],
        "word": WORD,
        "image": os.environ["JOB_IMAGE"],
        "version": context.function_version,
    }
    return {"statusCode": 200, "body": json.dumps(seen)}
