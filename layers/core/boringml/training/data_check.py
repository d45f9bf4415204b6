"""Hold data against the contract: the bounds that a request meets are those that training saw.

A column is checked whole, by vectorised kernels; every problem is collected before any is raised.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from boringml.contract.features import Features
from boringml.errors import BoringError
from boringml.training.data_files import DataFile

# SageMaker keeps 1,024 characters of a failure, so more problems than this would be cut anyway.
SHOWN = 5


@dataclass(frozen=True)
class Problem:
    """What is wrong with one column of one file."""

    code: str
    field: str
    message: str


def checked_table(files: list[DataFile], contract: dict[str, Any], features: Features) -> pa.Table:
    """Return the rows of all files with the contract's columns: float64 or string, in its order.

    The last column is the target, as text. Raises BoringError with the code of the first problem
    (`missing_column`, `unknown_column`, `wrong_type`, `null_values`, `not_finite`,
    `out_of_bounds`, `unknown_category`, `text_too_short`, `text_too_long`, `too_few_rows`,
    `one_class`, `label_balance`).
    """
    problems: list[Problem] = []
    tables = [_file_table(file, contract, features, problems) for file in files]
    if problems:
        raise _refusal(problems)
    table = pa.concat_tables(table for table in tables if table is not None)
    _check_rows(table, contract)
    return table


def _file_table(
    file: DataFile, contract: dict[str, Any], features: Features, problems: list[Problem]
) -> pa.Table | None:
    target = contract["decision"]["target"]
    wanted = (*features.names, target)
    found = file.table.column_names
    before = len(problems)
    for name in (name for name in wanted if name not in found):
        problems.append(Problem("missing_column", name, f"{file.name} has no {name!r}"))
    # What names a row is no feature: nothing is learned from it.
    for name in sorted(set(found) - set(wanted) - set(contract["data"].get("keys", ()))):
        text = f"{file.name} has {name!r}, which the contract does not know"
        problems.append(Problem("unknown_column", name, text))
    for name in sorted({name for name in found if found.count(name) > 1}):
        problems.append(Problem("unknown_column", name, f"{file.name} has {name!r} twice"))
    if len(problems) > before:
        return None
    columns = {name: _column(file, name, contract, features, problems) for name in wanted}
    return pa.table(columns) if len(problems) == before else None


def _column(
    file: DataFile,
    name: str,
    contract: dict[str, Any],
    features: Features,
    problems: list[Problem],
) -> pa.ChunkedArray | None:
    raw = file.table.column(name)
    where = f"{name} in {file.name}"
    try:
        values = _number_column(raw, file) if name in features.bounds else _text_column(raw)
    except pa.ArrowException as error:
        problems.append(Problem("wrong_type", name, f"{where}: {error}"))
        return None
    allowed = contract["data"].get("max_null_fraction", {}).get(name, 0)
    if values.null_count > allowed * len(values):
        problems.append(
            Problem("null_values", name, f"{where} has {values.null_count} empty of {len(values)}")
        )
    known = values.drop_null()
    if name in features.bounds:
        problems.extend(_number_problems(name, where, known, features))
        return values
    if name in features.lengths:
        problems.extend(_text_problems(name, where, known, features))
        return values
    decision = contract["decision"]
    categories = features.categories.get(name, (decision["positive"], decision["negative"]))
    strange = known.filter(pc.invert(pc.is_in(known, pa.array(categories, pa.string()))))
    if len(strange):
        problems.append(Problem("unknown_category", name, f"{where} has {strange[0].as_py()!r}"))
    return values


def _number_column(raw: pa.ChunkedArray, file: DataFile) -> pa.ChunkedArray:
    kind = raw.type
    if not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
        or file.is_text  # `load` leaves it to the contract which text is a number
    ):
        raise pa.ArrowTypeError(f"{kind} where numbers are due")
    return raw.cast(pa.float64())


def _text_column(raw: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = raw.type.value_type if pa.types.is_dictionary(raw.type) else raw.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise pa.ArrowTypeError(f"{kind} where text is due")
    return raw.cast(pa.string())


def _number_problems(
    name: str, where: str, known: pa.ChunkedArray, features: Features
) -> Iterator[Problem]:
    finite = known.filter(pc.is_finite(known))
    if len(finite) < len(known):
        yield Problem("not_finite", name, f"{where} has {len(known) - len(finite)} not finite")
    if len(finite) == 0:
        return
    if name in features.integers:
        parts = finite.filter(pc.not_equal(finite, pc.floor(finite)))
        if len(parts):
            yield Problem("wrong_type", name, f"{where} has {parts[0].as_py()}, no whole number")
    low, high = features.bounds[name]
    extremes = pc.min_max(finite).as_py()
    if low is not None and extremes["min"] < low:
        yield Problem("out_of_bounds", name, f"{where} has {extremes['min']}, minimum {low}")
    if high is not None and extremes["max"] > high:
        yield Problem("out_of_bounds", name, f"{where} has {extremes['max']}, maximum {high}")


def _text_problems(
    name: str, where: str, known: pa.ChunkedArray, features: Features
) -> Iterator[Problem]:
    if len(known) == 0:
        return
    low, high = features.lengths[name]
    # Lengths alone: what people wrote does not belong into a message.
    extremes = pc.min_max(pc.utf8_length(known)).as_py()
    if extremes["min"] < low:
        text = f"{where} has {extremes['min']} characters, at least {low} are due"
        yield Problem("text_too_short", name, text)
    if extremes["max"] > high:
        text = f"{where} has {extremes['max']} characters, at most {high} may be"
        yield Problem("text_too_long", name, text)


def _check_rows(table: pa.Table, contract: dict[str, Any]) -> None:
    decision, limits = contract["decision"], contract["data"]
    target = decision["target"]
    if table.num_rows < limits["min_rows"]:
        text = f"{table.num_rows} rows, at least {limits['min_rows']} are due"
        raise _refusal([Problem("too_few_rows", target, text)])
    positives = pc.sum(pc.equal(table.column(target), decision["positive"])).as_py()
    share = positives / table.num_rows
    if positives in (0, table.num_rows):
        text = f"every row of {target!r} has the same label: a model needs both"
        raise _refusal([Problem("one_class", target, text)])
    low, high = limits["min_positive_share"], limits["max_positive_share"]
    if not low <= share <= high:
        text = f"{share:.4f} of the rows are {decision['positive']!r}, expected {low} to {high}"
        raise _refusal([Problem("label_balance", target, text)])


def _refusal(problems: list[Problem]) -> BoringError:
    shown = "; ".join(problem.message for problem in problems[:SHOWN])
    more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return BoringError(
        problems[0].code,
        f"The data do not meet contract.json: {shown}{more}.",
        status=422,
        fields=sorted({problem.field for problem in problems}),
    )
