"""What a training job must be told, and how: each rule refuses with a code of its own."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from boringml.errors import BoringError

# CreateTrainingJob: TrainingJobName, at most 63 of [a-zA-Z0-9](-*[a-zA-Z0-9])*.
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_NAME_CHARACTERS = 63
_DIGEST_CHARACTERS = 10
_IMAGE = re.compile(r"[A-Za-z0-9.:_/-]+@sha256:[0-9a-f]{64}")
_IMAGE_CHARACTERS = 255
# S3 keys reach event patterns, state machines and shells: nothing in them needs quoting.
_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?")
# SageMaker's pattern of a tag, in ASCII.
_TAG_KEY = re.compile(r"[A-Za-z0-9 _.:/=+@-]{1,128}")
_TAG_VALUE = re.compile(r"[A-Za-z0-9 _.:/=+@-]{1,256}")
_HYPERPARAMETER_CHARACTERS = 2500
_HYPERPARAMETERS = 100


def job_name(model: str, execution_name: str, attempt: int) -> str:
    """Return a training job's name: readable, and its own for ever.

    A job's name can never be used again in its account and Region, not even by a retry, so
    `attempt` is part of it. `execution_name` may be an execution's ARN, which two stacks in one
    account need: the readable part is cut to fit, a digest of the whole keeps names apart.
    """
    end = f"-{hashlib.sha256(execution_name.encode()).hexdigest()[:_DIGEST_CHARACTERS]}-{attempt}"
    told = re.sub(r"[^A-Za-z0-9]+", "-", f"{model}-{execution_name.rsplit(':', 1)[-1]}")
    return told[: _NAME_CHARACTERS - len(end)].strip("-") + end


def check_job_name(name: str) -> None:
    """Raise BoringError `job_name_invalid`."""
    if len(name) > _NAME_CHARACTERS or not _NAME.fullmatch(name):
        raise BoringError(
            "job_name_invalid",
            f"{name!r} is no training job's name: at most {_NAME_CHARACTERS} letters, digits and "
            "hyphens. Make it with job_name().",
            422,
        )


def check_image(image_uri: str) -> None:
    """Raise BoringError `image_not_configured` or `image_not_pinned`."""
    if not image_uri.strip():
        raise BoringError(
            "image_not_configured",
            "The stack has no training image, so nothing can be trained: serving is not affected. "
            "Run `make image` where Docker is, then deploy with the parameter JobImageUri set to "
            "the URI that it prints.",
            422,
        )
    if len(image_uri) > _IMAGE_CHARACTERS or not _IMAGE.fullmatch(image_uri):
        raise BoringError(
            "image_not_pinned",
            f"{image_uri!r} does not name one image for ever: set JobImageUri to "
            "<registry>/<repository>@sha256:<64 hex digits>, as `make image` prints it.",
            422,
        )


def check_uri(uri: str) -> None:
    """Raise BoringError `key_unsafe`: a bucket, and a key of [A-Za-z0-9._/-] without `..`."""
    if not _URI.fullmatch(uri) or ".." in uri.split("/"):
        raise BoringError(
            "key_unsafe",
            f"{uri!r} is not s3://bucket/key with a key of letters, digits and . _ / - only: "
            "copy the object to such a key.",
            422,
        )


def check_folder(uri: str) -> None:
    """Raise BoringError `key_unsafe`: as an S3 prefix, .../job-1 would also hold .../job-10."""
    check_uri(uri)
    if not uri.endswith("/"):
        raise BoringError("key_unsafe", f"{uri!r} must end in a slash: it is a folder.", 422)


def check_tags(tags: Mapping[str, str], mandatory: Iterable[str]) -> None:
    """Raise BoringError `tags_missing` or `tags_invalid`."""
    missing = [key for key in mandatory if not tags.get(key)]
    if missing:
        raise BoringError(
            "tags_missing",
            f"Nobody could be billed for this job: it has no {', '.join(missing)}. Set them in "
            "model.yaml, in the stack's parameters or in the request.",
            422,
            tags=missing,
        )
    for key, value in tags.items():
        if key.startswith("aws:") or not (_TAG_KEY.fullmatch(key) and _TAG_VALUE.fullmatch(value)):
            raise BoringError(
                "tags_invalid",
                f"{key}={value!r} is no tag: letters, digits, spaces and _ . : / = + - @ only.",
                422,
                tags=[key],
            )


def as_hyperparameters(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as SageMaker takes them: text. Raises BoringError `hyperparameter_invalid`."""
    if len(values) > _HYPERPARAMETERS:
        raise _hyperparameter(f"there are {len(values)}, and SageMaker takes {_HYPERPARAMETERS}")
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise _hyperparameter(f"{name} is {value!r}, neither text nor a number")
        if len(str(value)) > _HYPERPARAMETER_CHARACTERS:
            raise _hyperparameter(f"{name} has more than {_HYPERPARAMETER_CHARACTERS} characters")
    return {name: str(value) for name, value in values.items()}


def _hyperparameter(problem: str) -> BoringError:
    return BoringError("hyperparameter_invalid", f"Hyperparameters: {problem}.", 422)
