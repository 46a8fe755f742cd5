"""Layers with who uses which version of them, one layer with what an upgrade touches, and the sizes of packages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.csv_stream import csv_response
from services_registry import layer_columns as columns
from services_registry.choices import ROOM_TONES, Room
from services_registry.layer_filters import LayerFilter, SizeFilter, is_filtered
from services_registry.layer_matrix import LayerUse, Matrix, Upgrade, matrix, present_functions, upgrade
from services_registry.models import LayerVersion
from services_registry.package_sizes import FunctionSize, sizes_of
from services_registry.registry import packages

PAGE_SIZE = 50
FACTS = {
    "limit": packages.UNZIPPED_LIMIT, "limit_source": packages.LIMIT_SOURCE, "limit_checked": packages.LIMIT_CHECKED,
    "ratios_source": packages.RATIOS_SOURCE, "ratios_checked": packages.RATIOS_CHECKED, "enough": packages.ENOUGH,
}  # fmt: skip


@login_required
@require_GET
def layer_list(request: HttpRequest) -> HttpResponse:
    filters, sort = LayerFilter(request.GET), request.GET.get("sort", "")
    everything = matrix()
    rows = columns.sorted_by(columns.LAYERS, filters.of(everything.layers), sort, columns.USUAL_LAYERS)
    page, pages = _page(request, len(rows))
    context = {
        "filters": filters, "rows": rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], "count": len(rows), "page": page,
        "page_numbers": range(1, pages + 1), "totals": _totals(everything), "filtered": is_filtered(filters, request.GET),
        "columns": columns.heads_of(columns.LAYERS, sort, columns.USUAL_LAYERS), "query": request.GET.urlencode(),
    }  # fmt: skip
    status = 200 if filters.is_valid() else 400
    return render(request, "services_registry/layer_list.html", context, status=status)


def _totals(everything: Matrix) -> dict[str, int]:
    """Of all layers, whatever the filters."""
    behind = {use.function.pk for entry in everything.layers for use in entry.behind}
    using = {use.function.pk for entry in everything.layers for use in entry.uses}
    tight = [size for size in everything.sizes.values() if size.room in (Room.NEAR, Room.OVER)]
    return {"layers": len(everything.layers), "using": len(using), "behind": len(behind), "tight": len(tight)}


@login_required
@require_GET
def layers_csv(request: HttpRequest) -> HttpResponseBase:
    rows = columns.sorted_by(
        columns.LAYERS, LayerFilter(request.GET).of(matrix().layers), request.GET.get("sort", ""), columns.USUAL_LAYERS
    )
    name = f"layers-{timezone.localdate():%Y-%m-%d}.csv"
    return csv_response(name, list(columns.LAYERS_FILE), columns.layer_lines(rows))


@login_required
@require_GET
def layer_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Who uses which version, and what bringing all of them to `?to=` touches; usual: the newest."""
    everything = matrix()
    entry = everything.layer(pk)
    if entry is None:
        raise Http404(_("The registry knows no such layer."))
    to = _wanted(entry, request.GET.get("to", ""))
    planned = _toned(upgrade(entry, to, everything.sizes)) if to else None
    users = dict(entry.in_use)
    versions = [(version, users.get(version, [])) for version in entry.versions]
    context = {"entry": entry, "layer": entry.layer, "versions": versions, "to": to, "upgrade": planned}
    return render(request, "services_registry/layer_detail.html", context)


def _wanted(entry: LayerUse, asked: str) -> LayerVersion | None:
    """The version asked for, if AWS still has it; else the newest."""
    present = (version for version in entry.versions if version.gone is None and str(version.version) == asked)
    return next(present, entry.newest)


def _toned(planned: Upgrade) -> Upgrade:
    for touched in planned.touched:
        row: Any = touched.use.function
        row.tone = ROOM_TONES[touched.room]
    return planned


@login_required
@require_GET
def by_arn(request: HttpRequest, arn: str) -> HttpResponse:
    """From the ARN of a layer version, as functions state it, to the page of its layer."""
    version = LayerVersion.objects.filter(arn=arn).first()
    if version is None:
        raise Http404(_("The registry knows no such layer."))
    return redirect("layer-detail", pk=version.layer_id)


@login_required
@require_GET
def function_sizes(request: HttpRequest) -> HttpResponse:
    filters, sort = SizeFilter(request.GET), request.GET.get("sort", "")
    everything = sizes_of(list(present_functions()))
    rows = columns.sorted_by(columns.SIZES, filters.of(everything), sort, columns.USUAL_SIZES)
    page, pages = _page(request, len(rows))
    context = {
        "filters": filters, "count": len(rows), "filtered": is_filtered(filters, request.GET), "page": page,
        "rows": [_shown(size) for size in rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]],
        "page_numbers": range(1, pages + 1), "columns": columns.heads_of(columns.SIZES, sort, columns.USUAL_SIZES),
        "query": request.GET.urlencode(), "tight": sum(size.room in (Room.NEAR, Room.OVER) for size in everything), **FACTS,
    }  # fmt: skip
    status = 200 if filters.is_valid() else 400
    return render(request, "services_registry/function_sizes.html", context, status=status)


@login_required
@require_GET
def function_size(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of a function's page that says what its package and layers take."""
    everything = matrix()
    if pk not in everything.sizes:
        raise Http404(_("No such function is deployed as zip."))
    uses = [use for entry in everything.layers for use in entry.uses if use.function.pk == pk]
    context = {"row": _shown(everything.sizes[pk]), "uses": uses}
    return render(request, "services_registry/_function_size.html", context)


def _shown(size: FunctionSize) -> dict[str, Any]:
    """A bar of a hundred: code, then layers."""
    code = min(100.0, (size.code.bytes or 0) * 100 / packages.UNZIPPED_LIMIT)
    layers = min(100.0 - code, (size.layers_bytes or 0) * 100 / packages.UNZIPPED_LIMIT)
    return {
        "size": size, "tone": ROOM_TONES[size.room], "code_width": f"{code:.2f}", "layers_width": f"{layers:.2f}",
    }  # fmt: skip


@login_required
@require_GET
def sizes_csv(request: HttpRequest) -> HttpResponseBase:
    found = SizeFilter(request.GET).of(sizes_of(list(present_functions())))
    rows = columns.sorted_by(columns.SIZES, found, request.GET.get("sort", ""), columns.USUAL_SIZES)
    name = f"package-sizes-{timezone.localdate():%Y-%m-%d}.csv"
    return csv_response(name, list(columns.SIZES_FILE), columns.size_lines(rows))


def _page(request: HttpRequest, found: int) -> tuple[int, int]:
    pages = max(1, -(-found // PAGE_SIZE))
    wanted = request.GET.get("page", "1")
    return (min(pages, max(1, int(wanted))) if wanted.isdecimal() else 1), pages
