"""What the SageMaker API answers when it refuses a request."""


class SageMakerError(Exception):
    """A refusal with the code and message that a client of SageMaker gets.

    `code` is one of AWS's (ValidationException, ResourceInUse, ResourceNotFound,
    ResourceLimitExceeded) or NotEmulatedException, which is ours alone: AWS would have
    done what was asked, and the local AWS cannot.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> SageMakerError:
    """A ValidationException: the request breaks a documented rule."""
    return SageMakerError("ValidationException", message)


def not_emulated(what: str) -> SageMakerError:
    """A refusal that names what the local AWS does not do."""
    return SageMakerError(
        "NotEmulatedException",
        f"{what} is not emulated by the local AWS; see docs/flows/local-sagemaker.md",
    )
