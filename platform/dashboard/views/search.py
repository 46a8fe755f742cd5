"""Search across the apps. Each provider is asked alone; one that fails is named and the others still answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core import slots
from core.htmx import is_fragment, vary_on_fragment
from core.slots import SearchHit

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

logger = logging.getLogger(__name__)
HITS_PER_KIND = 20
HITS_PER_KIND_AS_YOU_TYPE = 5
SHORTEST = 2


@dataclass(slots=True)
class Answer:
    kind: _StrOrPromise
    hits: list[SearchHit] = field(default_factory=list)
    failed: bool = False


def _ask(request: HttpRequest, text: str, limit: int) -> list[Answer]:
    answers = []
    for provider in slots.search_providers:
        answer = Answer(provider.kind)
        try:
            with transaction.atomic():  # a failing query must not spoil the next provider's
                answer.hits = list(provider.search(text, request.user, limit))[:limit]
        except DatabaseError:
            logger.exception("search provider failed kind=%s", provider.kind)
            answer.failed = True
        if answer.hits or answer.failed:
            answers.append(answer)
    return answers


def search(request: HttpRequest) -> HttpResponse:
    text = " ".join(request.GET.get("q", "").split())[:100]
    small = is_fragment(request)
    limit = HITS_PER_KIND_AS_YOU_TYPE if small else HITS_PER_KIND
    answers = _ask(request, text, limit) if len(text) >= SHORTEST else []
    context = {
        "q": text,
        "answers": answers,
        "too_short": 0 < len(text) < SHORTEST,
        "found": sum(len(answer.hits) for answer in answers),
    }
    template = "dashboard/_search_results.html" if small else "dashboard/search.html"
    return vary_on_fragment(render(request, template, context))
