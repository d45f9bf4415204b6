"""What MiniStack's SQS lacks."""
