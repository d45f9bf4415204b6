"""CloudWatch of the local AWS: metrics out of logs, and alarms."""
