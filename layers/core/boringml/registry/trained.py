"""Which versions a job trained: a copy of a version names the job that made the first of them."""

from collections.abc import Iterable

from boringml.registry.records import ModelVersion


def trained(versions: Iterable[ModelVersion]) -> list[ModelVersion]:
    """Return the first version of each job, of versions in the order of their numbers.

    A version that was registered as a changed copy has the job, and its cost, of the one that it is
    a copy of: nobody paid for that twice.
    """
    first: dict[str, ModelVersion] = {}
    for version in versions:
        first.setdefault(version.job_name, version)
    return list(first.values())
