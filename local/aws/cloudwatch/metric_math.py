"""Metric math in alarms of templates.

AWS lets an alarm watch an expression over metrics, period by period ("Using math expressions with
CloudWatch metrics"; AWS::CloudWatch::Alarm, Metrics). A period in which an operand has no data has
none itself, unless FILL gives it a value.
MiniStack 1.5.33 refuses such an alarm. Here an expression has numbers, ids, + - * /, comparisons,
IF(condition, then, else) and FILL(id, value); any other is refused when its alarm is made. So are
metrics of other accounts, and alarms made by PutMetricAlarm.
Seam: provisioners._cw_metric_alarm_record.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

from local.aws.seams import seam

Value = float | None
_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.Lt: operator.lt,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def value_of(expression: str, values: Mapping[str, Value]) -> Value:
    """Return what an expression comes to in one period, None where it has no data.

    Raises ValueError for what this module does not know.
    """
    return _value(ast.parse(expression.strip(), mode="eval").body, values)


def _value(node: ast.AST, values: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _applied(op, _value(left, values), _value(right, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return _applied(op, _value(left, values), _value(right, values))
        case ast.Call(func=ast.Name(id="FILL"), args=[ast.Name() as series, other]):
            found = _value(series, values)
            return _value(other, values) if found is None else found
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, other]):
            # Both are read, so that what is not known is refused whatever the condition.
            held, yes, no = (_value(part, values) for part in (condition, then, other))
            return None if held is None else (yes if held else no)
    raise ValueError(f"metric math: {ast.unparse(node)} is not emulated by the local AWS")


def _applied(op: ast.AST, left: Value, right: Value) -> Value:
    if left is None or right is None or (isinstance(op, ast.Div) and right == 0):
        return None
    return float(_OPERATORS[type(op)](left, right))


def queries_of(metrics: Any) -> list[dict[str, Any]]:
    """Return the queries of an alarm, checked. Raises ValueError for one that is not emulated."""
    queries = [dict(query) for query in metrics]
    ids = {str(query["Id"]): 1.0 for query in queries if "MetricStat" in query}
    if len([query for query in queries if returned(query)]) != 1:
        raise ValueError("metric math: exactly one query of an alarm returns data")
    for query in queries:
        if query.get("AccountId"):
            raise ValueError("metric math over accounts is not emulated by the local AWS")
        if "Expression" in query:
            value_of(str(query["Expression"]), ids)
    return queries


def returned(query: Mapping[str, Any]) -> bool:
    """Return whether a query is the one that its alarm watches."""
    return str(query.get("ReturnData", True)).lower() == "true"


def install() -> None:
    """Let templates have alarms on expressions; `alarms` evaluates them."""
    plain = seam(provisioners, "_cw_metric_alarm_record")

    def record(name: str, properties: dict[str, Any]) -> Any:
        if not properties.get("Metrics"):
            return plain(name, properties)
        queries = queries_of(properties["Metrics"])
        stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
        # MiniStack wants one metric; it is taken away again, as an alarm has one or the other.
        given = {
            **{key: value for key, value in properties.items() if key != "Metrics"},
            "Namespace": "-",
            "MetricName": "-",
            "Period": stats[0]["Period"],
        }
        return {**plain(name, given), "MetricName": None, "Namespace": None, "Metrics": queries}

    provisioners._cw_metric_alarm_record = record
