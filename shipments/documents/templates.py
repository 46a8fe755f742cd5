"""Administrators' templates: new versions, which one is printed with, going back, and trying one out.

Nothing is rendered in this process: the function does it, also for a preview.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.aws.invoke import SUCCEEDED, invoke
from core.errors import RefusedError
from services_registry import capabilities
from services_registry.batches.target import target_of
from shipments.functions.render_pdf.sources import LONGEST_SOURCE, digest
from shipments.models import Carrier, DocumentTemplate, Letterhead, TemplateVersion

PREVIEW_SECONDS = 10
PREVIEW_WAIT_S = 20
"""A cold function needs a few seconds before it begins."""


class TemplateError(RefusedError):
    code = "template"
    status = 400


@dataclass(frozen=True, slots=True)
class Preview:
    """What the function made of a template: a PDF, or the sentence that says why not."""

    pdf: bytes = b""
    pages: int = 0
    problem: str = ""
    warnings: list[str] = field(default_factory=list)


def content_of(html: str, css: str, version: int = 0) -> dict[str, Any]:
    """A template as it travels to the function."""
    return {"html": html, "css": css, "sha256": digest(html, css), "version": version}


def letterhead() -> dict[str, Any] | None:
    head = Letterhead.objects.first()
    if head is None:
        return None
    return {"name": head.name, "lines": head.lines.splitlines()[:6], "logo": head.logo}


class Choice:
    """Which version is printed with: the active template of carrier and language, of one of them, of neither."""

    def __init__(self, document_type: str) -> None:
        rows = DocumentTemplate.objects.filter(type=document_type, active__isnull=False)
        self._versions = {
            (carrier, language): version
            for carrier, language, version in rows.values_list("carrier", "language", "active")
        }

    def __bool__(self) -> bool:
        return bool(self._versions)

    def version_of(self, carrier: int | None, language: str) -> int | None:
        """Its id; None for the built-in page."""
        for key in ((carrier, language), (carrier, ""), (None, language), (None, "")):
            if key in self._versions:
                return self._versions[key]
        return None


@transaction.atomic
def open_template(*, document_type: str, carrier: Carrier | None, language: str, actor: Any) -> DocumentTemplate:
    """The template for this type, carrier and language; a new one has no version and changes nothing yet."""
    template, new = DocumentTemplate.objects.get_or_create(type=document_type, carrier=carrier, language=language)
    if new:
        record(actor=actor, verb="template.created", target=template, summary=str(template))
    return template


@transaction.atomic
def save_version(
    template: DocumentTemplate, *, html: str, css: str, note: str, actor: Any, use: bool
) -> TemplateVersion:
    """Keep a new version, and print with it from now on if `use`.

    Raises:
        TemplateError: it is too long, or says the same as the latest one.
    """
    if len(html) + len(css) > LONGEST_SOURCE:
        raise TemplateError(_("At most %(n)s characters fit into a template.") % {"n": f"{LONGEST_SOURCE:,}"})
    locked = DocumentTemplate.objects.select_for_update().get(pk=template.pk)
    latest = locked.versions.first()
    if latest and latest.sha256 == digest(html, css):
        raise TemplateError(_("Nothing was changed since version %(n)d.") % {"n": latest.number})
    number = (locked.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = TemplateVersion.objects.create(
        template=locked, number=number, html=html, css=css, sha256=digest(html, css), note=note[:200],
        author=actor.get_username(),
    )  # fmt: skip
    record(
        actor=actor, verb="template.saved", target=locked, summary=str(version), reason=note,
        after={"version": number, "sha256": version.sha256},
    )  # fmt: skip
    if use:
        use_version(locked, version, actor=actor)
    return version


@transaction.atomic
def use_version(template: DocumentTemplate, version: TemplateVersion | None, *, actor: Any) -> None:
    """Print with this version from now on: an earlier one to go back, None for the built-in page."""
    locked = DocumentTemplate.objects.select_for_update(of=("self",)).select_related("active").get(pk=template.pk)
    if version is not None and version.template_id != locked.pk:
        raise TemplateError(_("This version belongs to another template."))
    before = locked.active.number if locked.active else 0
    locked.active, locked.changed = version, timezone.now()
    locked.save(update_fields=["active", "changed"])
    record(
        actor=actor, verb="template.activated", target=locked, summary=str(locked), before={"version": before},
        after={"version": version.number if version else 0},
    )  # fmt: skip


def preview(document_type: str, data: Mapping[str, Any], *, language: str, html: str, css: str) -> Preview:
    """Have the function print one document with this template. Nothing is kept."""
    target = target_of(capabilities.get("render_pdf"))
    context = {
        "document_type": document_type, "locale": language, "letterhead": letterhead(),
        "template": content_of(html, css) | {"seconds": PREVIEW_SECONDS},
    }  # fmt: skip
    request = {"version": 1, "batch": "", "chunk": "", "context": context, "items": [{"id": "preview", "data": data}]}
    answer = invoke(
        target.function_name, json.dumps(request).encode(), region=target.region, qualifier=target.qualifier,
        timeout_s=PREVIEW_WAIT_S,
    )  # fmt: skip
    if answer.outcome != SUCCEEDED:
        return Preview(problem=_("The function did not answer: %(why)s") % {"why": answer.error_message})
    return understood(answer.payload)


def understood(payload: bytes) -> Preview:
    """The one document in the function's answer."""
    try:
        entry = json.loads(payload)["results"][0]
        if not entry["ok"]:
            return Preview(problem=entry["error"]["message"])
        value = entry["value"]
        pdf = base64.b64decode(value["file"]["content_b64"])
    except (ValueError, KeyError, IndexError, TypeError):
        return Preview(problem=_("The function's answer cannot be understood. Is the latest version of it deployed?"))
    return Preview(pdf, int(value.get("pages") or 0), warnings=[str(line) for line in value.get("warnings", [])])
