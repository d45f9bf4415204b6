"""The contract of the version that a run is pinned to, proved by the package's digest."""

import json

from boringml.batch.run import BatchRun
from boringml.batch.settings import key_of
from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.reader import Fetch, Package


def pinned_contract(run: BatchRun, fetch: Fetch) -> tuple[Contract, str]:
    """Return the contract, and the column that names a row.

    Raises BoringError `package_wrong_model`, `digest_mismatch`, `package_incomplete` or
    `key_undeclared`.
    """
    package = Package(fetch, run.package_digest)
    if package.manifest["model"] != run.model:
        told = f"The package is one of model {package.manifest['model']}, not of {run.model}."
        raise BoringError("package_wrong_model", told)
    document = json.loads(package.read(layout.CONTRACT))
    return Contract.of(document), key_of(document)
