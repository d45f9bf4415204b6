"""What is told of predictions, in the answer and in the log, encoded once for both.

All of it is members of a JSON object, without its braces: joining text takes a fifth of what
dictionaries take that are filled and encoded for each of the two.
"""

from collections.abc import Sequence

from boringml.serving.decoder import Record
from boringml.serving.json_text import json_of
from boringml.serving.served_model import ServedModel


class Outcomes:
    """Predicts with one model, and tells the outcomes."""

    def __init__(self, model: ServedModel) -> None:
        self._predict = model.predict
        self._loggable = model.decoder.loggable
        self._label = model.label
        contract = model.contract
        self._told = {
            label: f'"prediction":{json_of(label)},"probability":'
            for label in (contract.positive, contract.negative)
        }

    def of_one(self, record: Record) -> tuple[str, str]:
        """Return what `of` does, of one record."""
        (probability,) = self._predict((record,))
        shown = self._told[self._label(probability)] + json_of(probability)
        return shown, f'"features":{self._loggable(record).decode()},{shown}'

    def of(self, records: Sequence[Record]) -> tuple[list[str], list[str]]:
        """Return of each record what the caller sees, and what the log has of it, in order.

        The caller sees `prediction` and `probability`; the log has the `features`, too. The
        records lose their sensitive fields. Raises what the model raises.
        """
        probabilities = self._predict(records)
        numbers = json_of(probabilities)[1:-1].split(",")
        told, label, loggable = self._told, self._label, self._loggable
        shown = [
            told[label(probability)] + number
            for probability, number in zip(probabilities, numbers, strict=True)
        ]
        lines = [
            f'"features":{loggable(record).decode()},{outcome}'
            for record, outcome in zip(records, shown, strict=True)
        ]
        return shown, lines
