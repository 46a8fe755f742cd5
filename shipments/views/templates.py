"""Templates of documents: the list, writing one with a preview, its versions and what differs between them."""

from __future__ import annotations

import difflib
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.access import admin_required
from core.htmx import is_fragment, vary_on_fragment
from shipments.capabilities.manifests import payload_of_one
from shipments.choices import MADE_HERE, DocumentType
from shipments.document_forms import NewTemplateForm, TemplateForm
from shipments.documents import templates as service
from shipments.documents.making import data_of
from shipments.functions.render_pdf.sources import builtin_source
from shipments.models import DocumentTemplate, Letterhead, TemplateVersion

KEPT_S = 600
SHOWN_VERSIONS = 50
CONTEXT_LINES = 3


@admin_required
@require_GET
def template_list(request: HttpRequest) -> HttpResponse:
    """Each type of document with the templates there are for it; where there is none, the built-in page is printed."""
    rows = list(DocumentTemplate.objects.select_related("carrier", "active"))
    kinds = [{"kind": kind, "rows": [row for row in rows if row.type == kind]} for kind in MADE_HERE]
    context = {"kinds": kinds, "form": NewTemplateForm(), "letterhead": Letterhead.objects.first()}
    return render(request, "shipments/template_list.html", context)


@admin_required
@require_POST
def template_new(request: HttpRequest) -> HttpResponse:
    """Open the template for a type, carrier and language."""
    form = NewTemplateForm(request.POST)
    if not form.is_valid():
        context = {"kinds": [], "form": form, "letterhead": Letterhead.objects.first()}
        return render(request, "shipments/template_list.html", context, status=400)
    said = form.cleaned_data
    template = service.open_template(
        document_type=said["type"], carrier=said["carrier"], language=said["language"], actor=request.user
    )
    return redirect("template-edit", pk=template.pk)


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def template_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the next version. It is kept when the function can print with it."""
    template = get_object_or_404(DocumentTemplate.objects.select_related("carrier", "active"), pk=pk)
    if request.method != "POST":
        return _editor(request, template, TemplateForm(initial=_source(template, request.GET.get("from", ""))))
    form = TemplateForm(request.POST)
    if not form.is_valid():
        return _editor(request, template, form, status=400)
    tried = _try(template, form)
    if tried.problem:
        form.add_error("html", tried.problem)
        return _editor(request, template, form, status=400)
    said = form.cleaned_data
    try:
        version = service.save_version(
            template, html=said["html"], css=said["css"], note=said["note"], actor=request.user, use=said["use"]
        )
    except service.TemplateError as error:
        form.add_error(None, error.message)
        return _editor(request, template, form, status=error.status)
    messages.success(request, _("Version %(n)d is kept.") % {"n": version.number})
    return redirect("template-edit", pk=template.pk)


@admin_required
@require_POST
def template_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """One document with what is in the form, printed by the function; nothing is kept but the PDF, for ten minutes."""
    template = get_object_or_404(DocumentTemplate.objects.select_related("carrier", "active"), pk=pk)
    form = TemplateForm(request.POST)
    tried: service.Preview | None = None
    key = ""
    if form.is_valid():
        tried = _try(template, form)
        if tried.pdf:
            key = uuid4().hex
            cache.set(_cache_key(request, key), tried.pdf, KEPT_S)
    made = {"tried": tried, "preview_key": key}
    if is_fragment(request):
        context = {"form": form, "template": template, **made}
        return vary_on_fragment(render(request, "shipments/_template_preview.html", context))
    return vary_on_fragment(_editor(request, template, form, **made))


@admin_required
@require_GET
@xframe_options_sameorigin
def template_preview_file(request: HttpRequest, key: str) -> HttpResponse:
    """The PDF of a preview, for the one who asked for it."""
    content = cache.get(_cache_key(request, key))
    if content is None:
        raise Http404(_("This preview is over. Make another one."))
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    response["Cache-Control"] = "private, no-store"
    return response


@admin_required
@require_GET
def template_version(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One version, and how it differs from another: from the one before it unless `against` names one; 0 is built in."""
    template = get_object_or_404(DocumentTemplate.objects.select_related("carrier", "active"), pk=pk)
    version = get_object_or_404(template.versions, number=number)
    asked = request.GET.get("against", "")
    against = int(asked[:9]) if asked.isdecimal() and asked.isascii() else number - 1
    other = _source_of(template, against)
    if other is None:
        raise Http404(_("There is no version with this number."))
    parts = [
        {"name": name, "lines": _difference(old, new)}
        for name, old, new in (("HTML", other[0], version.html), ("CSS", other[1], version.css))
    ]
    numbers = template.versions.values_list("number", flat=True)[:SHOWN_VERSIONS]
    context = {"template": template, "version": version, "against": against, "parts": parts, "numbers": [*numbers, 0]}
    return render(request, "shipments/template_version.html", context)


@admin_required
@require_POST
def template_use(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Print with this version from now on; 0 is the built-in page."""
    template = get_object_or_404(DocumentTemplate, pk=pk)
    version = get_object_or_404(template.versions, number=number) if number else None
    service.use_version(template, version, actor=request.user)
    said = (
        _("Version %(n)d is printed with from now on.") if version else _("The built-in page is printed from now on.")
    )
    messages.success(request, said % {"n": number})
    return redirect("template-edit", pk=template.pk)


def _editor(request: HttpRequest, template: DocumentTemplate, form: TemplateForm, **more: Any) -> HttpResponse:
    status = more.pop("status", 200)
    context = {"template": template, "form": form, "versions": template.versions.all()[:SHOWN_VERSIONS], **more}
    return render(request, "shipments/template_edit.html", context, status=status)


def _source(template: DocumentTemplate, wanted: str) -> dict[str, Any]:
    """What the form begins with: the version asked for, the active one, the latest one, or the built-in page."""
    number = int(wanted[:9]) if wanted.isdecimal() and wanted.isascii() else None
    latest = template.active or template.versions.first()
    found = _source_of(template, number if number is not None else latest.number if latest else 0)
    html, css = found or builtin_source(template.type)
    return {"html": html, "css": css, "tried_in": template.language or "en", "use": True}


def _source_of(template: DocumentTemplate, number: int) -> tuple[str, str] | None:
    if number == 0:
        return builtin_source(template.type)
    version = TemplateVersion.objects.filter(template=template, number=number).first()
    return (version.html, version.css) if version else None


def _try(template: DocumentTemplate, form: TemplateForm) -> service.Preview:
    said = form.cleaned_data
    shipment = said["tried_with"]
    if shipment is None:
        return service.Preview(problem=_("There is no delivery to try it with. Import one first."))
    data = payload_of_one(shipment) if template.type == DocumentType.MANIFEST else data_of(shipment)
    return service.preview(template.type, data, language=said["tried_in"] or "en", html=said["html"], css=said["css"])


def _cache_key(request: HttpRequest, key: str) -> str:
    return f"template-preview:{request.user.pk}:{key}"


def _difference(old: str, new: str) -> list[dict[str, str]]:
    """Lines with their kind: added, removed, place or same."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=CONTEXT_LINES))[2:]
    return [{"kind": kinds.get(line[:1], "same"), "text": line} for line in lines]
