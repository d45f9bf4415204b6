"""What the local AWS does not emulate fails by its name."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAWS
from tests.integration.local.conftest import unique

LOGS_ARN = "arn:aws:logs:us-east-1:000000000000:log-group:any"


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "name"),
    [
        ("xray", "get_sampling_rules", {}, "xray:POST /GetSamplingRules"),
        ("codedeploy", "list_applications", {}, "codedeploy:ListApplications"),
        ("elasticbeanstalk", "describe_events", {}, "elasticbeanstalk:DescribeEvents"),
        (
            "cloudwatch",
            "put_metric_alarm",
            {
                "AlarmName": "a",
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanThreshold",
                "Metrics": [{"Id": "a", "Expression": "1 + 1"}],
            },
            "metric math",
        ),
        (
            "cloudwatch",
            "get_metric_data",
            {
                "StartTime": 0,
                "EndTime": 60,
                "MetricDataQueries": [{"Id": "a", "Expression": "1 + 1"}],
            },
            "metric math",
        ),
        (
            "cloudwatch",
            "put_anomaly_detector",
            {"Namespace": "a", "MetricName": "b", "Stat": "Sum"},
            "PutAnomalyDetector",
        ),
        (
            "logs",
            "put_metric_filter",
            {
                "logGroupName": "a",
                "filterName": "a",
                "filterPattern": "a",
                "metricTransformations": [
                    {"metricName": "a", "metricNamespace": "a", "metricValue": "1"}
                ],
            },
            "PutMetricFilter",
        ),
        (
            "logs",
            "put_account_policy",
            {"policyName": "a", "policyDocument": "{}", "policyType": "DATA_PROTECTION_POLICY"},
            "PutAccountPolicy",
        ),
        (
            "events",
            "put_targets",
            {"Rule": "a", "Targets": [{"Id": "a", "Arn": LOGS_ARN}]},
            "target in logs",
        ),
        (
            "sqs",
            "start_message_move_task",
            {"SourceArn": "arn:aws:sqs:us-east-1:000000000000:a"},
            "StartMessageMoveTask",
        ),
        ("ssm", "list_documents", {}, "ListDocuments"),
        ("sns", "get_sms_attributes", {}, "GetSMSAttributes"),
        ("cloudformation", "list_types", {}, "ListTypes"),
    ],
)
def test_a_request_that_is_not_emulated_fails_by_its_name(
    local_aws: LocalAWS, service: str, operation: str, arguments: dict[str, Any], name: str
) -> None:
    with pytest.raises(ClientError, match=name):
        getattr(local_aws.client(service), operation)(**arguments)


def test_a_resource_type_that_is_not_emulated_fails_the_stack_by_its_name(
    local_aws: LocalAWS,
) -> None:
    resources = {"One": {"Type": "AWS::Budgets::Budget"}}
    with pytest.raises(ClientError, match="AWS::Budgets::Budget"):
        local_aws.client("cloudformation").create_stack(
            StackName=unique("refused"), TemplateBody=json.dumps({"Resources": resources})
        )
