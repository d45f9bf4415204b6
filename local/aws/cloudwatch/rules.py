"""Metrics of the rules of EventBridge.

AWS counts the events that match a rule by RuleName, on the default bus by that dimension alone, and
whether the rule has a target or not ("Monitoring Amazon EventBridge": MatchedEvents).
MiniStack 1.5.33 counts none.
Seams: eventbridge._matches_pattern_view, _rules.
"""

from typing import Any

from ministack.services import cloudwatch, eventbridge

from local.aws.seams import seam

_OWNER = "rule "


def install() -> None:
    """Record a metric with every event that matches a rule of the default bus."""
    matches = seam(eventbridge, "_matches_pattern_view")
    seam(eventbridge, "_rules")
    seam(cloudwatch, "record_metric")

    def matches_and_counts(pattern: str, view: Any, owner: str = "rule") -> bool:
        matched = bool(matches(pattern, view, owner))
        if matched and owner.startswith(_OWNER):
            rule = eventbridge._rules[owner.removeprefix(_OWNER)]
            if rule.get("EventBusName", "default") == "default":
                dimensions = {"RuleName": str(rule["Name"])}
                cloudwatch.record_metric("AWS/Events", "MatchedEvents", 1, "Count", dimensions)
        return matched

    eventbridge._matches_pattern_view = matches_and_counts
