"""The rows of a batch run again, as they were scored: its input, and what was answered."""

from collections.abc import Iterator
from typing import Any

import pyarrow.parquet

from boringml.adapters.batch_files import BatchFiles
from boringml.batch.categories import Texts
from boringml.batch.checking import RowChecker
from boringml.batch.reading import BATCH_ROWS, checked_rows
from boringml.batch.run import BatchRun
from boringml.batch.settings import key_of
from boringml.contract.contract import Contract
from boringml.errors import BoringError
from boringml.monitoring.window import Rows


class BatchRows:
    """Reads the input and the scores of runs, some thousand rows at a time."""

    def __init__(self, files: BatchFiles) -> None:
        self._files = files

    def rows(self, run: BatchRun, document: Any) -> Iterator[Rows]:
        """Yield the features of the rows that met the contract, then the answers of all of them.

        `document` is the contract that the run was scored by, contract.json. Raises BoringError
        `batch_input_gone` (422), `data_unreadable` or `key_undeclared`.
        """
        try:
            yield from self._inputs(run, Contract.of(document), key_of(document))
        except BoringError as error:
            if error.code != "object_missing":
                raise
            told = f"Rows of run {run.label} cannot be read again: {error.message}"
            raise BoringError("batch_input_gone", told, 422) from error
        for name in self._files.names(run.scored):
            if name.endswith(".parquet"):
                yield from self._answers(name)

    def _inputs(self, run: BatchRun, contract: Contract, key: str) -> Iterator[Rows]:
        names = contract.features
        checker, texts = RowChecker(contract, key), Texts(names)
        for chunk in self._files.chunks(run):
            for rows in checked_rows(chunk, self._files.open(chunk), checker):
                taken = rows.accepted
                if len(taken):
                    numeric = {n: taken.numeric[:, i] for i, n in enumerate(names.numeric)}
                    words = dict(zip(names.categorical, texts.of(taken.places).T, strict=True))
                    yield Rows(numeric | words)

    def _answers(self, name: str) -> Iterator[Rows]:
        with pyarrow.parquet.ParquetFile(self._files.file(name), pre_buffer=False) as part:
            for batch in part.iter_batches(BATCH_ROWS, columns=["prediction", "probability"]):
                predictions, probabilities = (column.to_pylist() for column in batch.columns)
                yield Rows(predictions=predictions, probabilities=probabilities)
