"""Which function wrote a log event: by its log group, by the name in its stream, by the ARN that a line states."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property

from django.db.models import F

from services_registry.models import Function

GROUP_PREFIX = "/aws/lambda/"
# A custom log group, which functions may share, has streams named 2026/11/24/name[version]id (AWS Lambda Developer Guide,
# "Configuring CloudWatch log groups", read 2026-11-24).
_NAMED_STREAM = re.compile(r"\d{4}/\d{2}/\d{2}/(?P<name>[\w-]{1,140})\[")


class FunctionFinder:
    """Reads all functions once, on the first question. Functions that are gone count when nothing else fits."""

    @cached_property
    def _functions(self) -> list[Function]:
        fields = ("id", "name", "arn", "account", "region", "log_group", "memory_mb", "gone")
        return list(Function.objects.only(*fields).order_by(F("gone").desc(nulls_last=True), "-id"))  # the best: last

    @cached_property
    def _by_name(self) -> dict[str, Function]:
        return {function.name: function for function in self._functions}

    @cached_property
    def _by_arn(self) -> dict[str, Function]:
        return {function.arn: function for function in self._functions}

    @cached_property
    def _by_group(self) -> dict[str, list[Function]]:
        groups: defaultdict[str, list[Function]] = defaultdict(list)
        for function in self._functions:
            groups[function.log_group or f"{GROUP_PREFIX}{function.name}"].append(function)
        return groups

    def by_name(self, name: str) -> Function | None:
        return self._by_name.get(name)

    def by_arn(self, arn: str) -> Function | None:
        """Also with a version or alias behind it: arn:aws:lambda:region:account:function:name:version."""
        return self._by_arn.get(arn) or self._by_arn.get(":".join(arn.split(":")[:7]))

    def by_group(self, group: str, stream: str = "", account: str = "") -> Function | None:
        """None when no function writes there, or several do and the stream does not say which."""
        candidates = self._by_group.get(group, [])
        if account and len(candidates) > 1:
            candidates = [function for function in candidates if function.account == account] or candidates
        if len({function.name for function in candidates}) > 1:
            named = _NAMED_STREAM.match(stream)
            candidates = [function for function in candidates if named and function.name == named["name"]]
        if candidates:
            return candidates[-1]
        return self.by_name(group.removeprefix(GROUP_PREFIX)) if group.startswith(GROUP_PREFIX) else None


def unattributed(region: str = "") -> Function:
    """The row under which reports are kept whose source does not say which function wrote them."""
    function, _ = Function.objects.get_or_create(
        arn="local:unattributed",
        defaults={
            "account": "",
            "region": region,
            "name": "unattributed-logs",
            "description": "Log lines that named no function",
            "memory_mb": 128,
            "timeout_s": 900,
            "state": "Unknown",
        },
    )
    return function
