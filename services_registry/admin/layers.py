"""Layers as AWS tells of them, read only; sizes of unpacked packages, which people may state."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from services_registry.admin.batches import ReadOnlyAdmin
from services_registry.models import Layer, LayerVersion, PackageSize
from services_registry.stated_sizes import forget_size, state_size


class LayerVersionInline(admin.TabularInline[LayerVersion, Layer]):
    model = LayerVersion
    fields = readonly_fields = ("version", "created", "code_bytes", "runtimes", "gone", "problem")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Layer)
class LayerAdmin(ReadOnlyAdmin):
    list_display = ["name", "account", "region", "newest_from"]
    list_filter = ["region", "newest_from"]
    search_fields = ["arn"]
    inlines = [LayerVersionInline]


@admin.register(PackageSize)
class PackageSizeAdmin(admin.ModelAdmin[Any]):
    """Whoever knows a size states it; it holds for exactly that content, so a new package is estimated again."""

    list_display = ["content", "unzipped_bytes", "source", "note", "at"]
    list_filter = ["source"]
    search_fields = ["content"]
    list_per_page = 50

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["content", "source", "at"] if obj else ["source", "at"]

    def save_model(self, request: HttpRequest, obj: PackageSize, form: Any, change: bool) -> None:
        kept = state_size(
            content=obj.content, unzipped_bytes=obj.unzipped_bytes, note=obj.note, actor=request.user, source="admin"
        )
        obj.pk = kept.pk

    def delete_model(self, request: HttpRequest, obj: PackageSize) -> None:
        forget_size(obj, actor=request.user, source="admin")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PackageSize]) -> None:
        for row in queryset:
            forget_size(row, actor=request.user, source="admin")
