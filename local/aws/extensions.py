"""The extensions of MiniStack, in the order in which they are installed.

Each closes one gap and says in its docstring what AWS does, what MiniStack does, and the seam it
takes. Order matters only where one wraps the function of another: the later is the outer one.
"""

from importlib import import_module

EXTENSIONS = (
    "local.aws.checkpoint",
    "local.aws.refusals",
    "local.aws.transport",
    "local.aws.functions.environment",
    "local.aws.functions.aliases",
    "local.aws.functions.alias_permissions",
    "local.aws.functions.concurrency",
    "local.aws.functions.metrics",
    "local.aws.functions.asynchronous",
    "local.aws.functions.traces",
    "local.aws.cloudformation.nested_sam",
    "local.aws.cloudformation.yaml_definitions",
    "local.aws.cloudformation.property_types",
    "local.aws.cloudformation.stack_events",
    "local.aws.cloudformation.named_queries",
    "local.aws.apigateway.openapi",
    "local.aws.apigateway.requests",
    "local.aws.apigateway.errors",
    "local.aws.apigateway.mock",
    "local.aws.apigateway.service_templates",
    "local.aws.apigateway.metrics",
    "local.aws.apigateway.access_logs",
    "local.aws.sqs.batch_permissions",
    "local.aws.sqs.message_move",
    "local.aws.cloudwatch.emf",
    "local.aws.cloudwatch.statistics",
    "local.aws.cloudwatch.metric_math",
    "local.aws.cloudwatch.composite_alarms",
    "local.aws.cloudwatch.alarms",
    "local.aws.cloudwatch.queues",
    "local.aws.cloudwatch.rules",
    "local.aws.cloudwatch.metric_filters",
    "local.aws.cloudwatch.log_volume",
    "local.aws.queues.visibility",
    "local.aws.queues.locking",
    "local.aws.permissions",
    "local.aws.logs",
    # Around what looks at log events: they see the lines as AWS writes them.
    "local.aws.functions.reports",
    "local.aws.firehose",
    "local.aws.sagemaker",
    "local.aws.step_functions",
    "local.aws.athena",
    "local.aws.s3",
    "local.aws.cloudwatch.state_machines",
)


def install_all() -> None:
    """Install every extension; the first whose seam is gone raises SeamMissingError."""
    for name in EXTENSIONS:
        import_module(name).install()
