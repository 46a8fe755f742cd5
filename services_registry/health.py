"""AWS as a health check. Not critical: pages work and batches wait while AWS is away."""

from core.aws.clients import check_aws
from core.slots import HealthCheck, health_checks

health_checks.register(HealthCheck(name="aws", check=check_aws, critical=False))
