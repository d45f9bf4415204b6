"""Categories as numbers: the place of each text in the contract's list of its field."""

from typing import Any

import numpy as np

from boringml.contract.features import Features

# The place of a text that is missing, which to a model is "": no category's, unless "" is one.
MISSING = -1


class Texts:
    """Makes texts of places, by one look into a table of all fields' categories."""

    def __init__(self, features: Features) -> None:
        columns = [features.categories[name] for name in features.categorical]
        table: list[str] = [""]
        self._first = np.empty(len(columns), np.int64)
        for number, texts in enumerate(columns):
            self._first[number] = len(table)
            table += texts
        self._table = np.array(table, object)

    def of(self, places: Any) -> Any:
        """Return the texts (rows, fields), "" for what is missing."""
        return self._table.take(np.where(places == MISSING, 0, places + self._first))
