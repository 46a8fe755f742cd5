"""Which functions CloudWatch is asked about."""

from __future__ import annotations

from django.db.models import QuerySet

from services_registry.models import Function


def real_functions() -> QuerySet[Function]:
    """Functions that AWS knows: present, no sample, no row of our own."""
    return Function.objects.filter(gone=None, sample=False).exclude(arn__startswith="local:").exclude(account="")
