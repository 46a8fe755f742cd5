"""CloudWatch's own count of invocations: to check ours against, and to stand in where no log lines come in."""
