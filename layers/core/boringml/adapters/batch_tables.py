"""The tables of scores and of rejected rows in the Glue catalog: one partition per run.

Athena and Spark read the partitions that are registered and nothing else, so a run appears whole,
by one call per table, or not at all.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from boringml.batch.run import BatchRun

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient

SCORES, REJECTED = "scores", "rejected"


class BatchTables:
    """Partitions of the tables `scores` and `rejected` over a bucket."""

    def __init__(self, client: "GlueClient", database: str, bucket: str) -> None:
        self._client = client
        self._database = database
        self._bucket = bucket

    def show(self, run: BatchRun) -> None:
        """Register the run's folders, that of the scores last; again changes nothing."""
        for table, folder in ((REJECTED, run.rejected), (SCORES, run.scored)):
            self._add(table, run, f"s3://{self._bucket}/{folder}")

    def hide(self, run: BatchRun) -> None:
        """Take the run's partitions away, where they are."""
        for table in (SCORES, REJECTED):
            try:
                self._client.delete_partition(
                    DatabaseName=self._database,
                    TableName=table,
                    PartitionValues=list(run.partition),
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "EntityNotFoundException":
                    raise

    def _add(self, table: str, run: BatchRun, location: str) -> None:
        described = self._client.get_table(DatabaseName=self._database, Name=table)["Table"]
        storage = {**described["StorageDescriptor"], "Location": location}
        try:
            self._client.create_partition(
                DatabaseName=self._database,
                TableName=table,
                PartitionInput={"Values": list(run.partition), "StorageDescriptor": storage},  # type: ignore[typeddict-item]
            )
        except ClientError as error:
            # A run's folder is its own, so what is registered is this.
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
