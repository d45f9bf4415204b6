"""Checks of the running application, each a table or a line: `make parity`, `make bad-requests`."""

from rich.console import Console

from boringml.adapters.registry_table import RegistryTable
from local.bad_requests import send_bad_requests
from local.demo import MODEL, bad_requests_table
from local.outputs import stack_outputs
from local.parity import credit_parity
from local.paths import DEFAULT_HOME
from local.predictions import local_client
from local.server import LocalAWS
from local.up import STACK_NAME


def parity() -> None:
    """Compare predictions over HTTP with model.joblib on the whole holdout."""
    local_aws, outputs = running()
    registry = RegistryTable(local_aws.client("dynamodb"), outputs["RegistryTable"])
    number = registry.alias(MODEL, "live")
    if number is None:
        raise SystemExit(f"{MODEL} has no live version yet: make demo")
    version = registry.version(MODEL, number)
    client = local_client(outputs["ApiUrl"])
    found = credit_parity(
        client, local_aws.client("s3"), version.package_uri, version.package_digest
    )
    print(
        f"{MODEL} version {found.model_version}: {found.rows} held-out rows over HTTP against "
        f"model.joblib, largest difference {found.max_difference:.1e}, "
        f"flipped labels {found.flipped_labels}"
    )


def bad_requests() -> None:
    """Send each bad request of the contract; exit with 1 where one is not answered as promised."""
    _, outputs = running()
    cases = send_bad_requests(local_client(outputs["ApiUrl"]), MODEL)
    Console().print(bad_requests_table(cases))
    raise SystemExit(0 if all(case.kept for case in cases) else 1)


def running() -> tuple[LocalAWS, dict[str, str]]:
    """Return the local AWS and the outputs of the stack. Raises SystemExit where none runs."""
    local_aws = LocalAWS(DEFAULT_HOME)
    if local_aws.pid() is None:
        raise SystemExit("the local AWS does not run: make up")
    outputs = stack_outputs(local_aws.client("cloudformation"), STACK_NAME, local_aws.endpoint_url)
    return local_aws, outputs
