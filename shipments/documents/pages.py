"""Any page of HTML as PDF, printed by the function that prints documents. Nothing is rendered in this process."""

from __future__ import annotations

import json

from django.utils.translation import gettext as _

from core.aws.invoke import SUCCEEDED, invoke
from services_registry import capabilities
from services_registry.batches.target import target_of
from shipments.documents.templates import Preview, understood

WAIT_S = 45
"""A cold function needs a few seconds before it begins; a page of tables is printed in one or two."""


def print_page(html: str, filename: str) -> Preview:
    """The PDF, or the sentence that says why not. The page may bring styles and pictures only as part of itself."""
    target = target_of(capabilities.get("render_pdf"))
    item = {"id": "page", "filename": filename, "html": html}
    request = {"version": 1, "batch": "", "chunk": "", "context": {}, "items": [item]}
    answer = invoke(
        target.function_name,
        json.dumps(request).encode(),
        region=target.region,
        qualifier=target.qualifier,
        timeout_s=WAIT_S,
    )
    if answer.outcome != SUCCEEDED:
        return Preview(problem=_("The function did not answer: %(why)s") % {"why": answer.error_message})
    return understood(answer.payload)
