"""The ways log lines come in from outside: Firehose, files and objects, the pull from CloudWatch Logs."""
