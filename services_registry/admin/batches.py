"""Batches in the admin: read for repair, never written. Bindings are configuration."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from core import read_only_admin
from services_registry.models import Batch, BatchItem, CapabilityBinding, Chunk


class ReadOnlyAdmin(read_only_admin.ReadOnlyAdmin):
    """Rows are made and changed by the engine only."""

    list_per_page = 50


@admin.register(CapabilityBinding)
class CapabilityBindingAdmin(admin.ModelAdmin[Any]):
    list_display = ["capability", "function_name", "region", "qualifier", "chunk_size", "concurrency"]
    search_fields = ["capability", "function_name"]


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ["title", "state", "total", "succeeded", "failed", "cancelled", "created_by_name", "created"]
    list_filter = ["state", "source", "capability", "sample"]
    search_fields = ["id", "title", "function_name", "created_by_name"]
    date_hierarchy = "created"


@admin.register(Chunk)
class ChunkAdmin(ReadOnlyAdmin):
    list_display = ["batch", "position", "state", "outcome", "attempt", "request_id", "duration_ms", "started"]
    list_filter = ["state", "outcome"]
    list_select_related = ["batch"]
    search_fields = ["id", "request_id"]


@admin.register(BatchItem)
class BatchItemAdmin(ReadOnlyAdmin):
    list_display = ["batch", "position", "key", "label", "state", "error_type", "settled"]
    list_filter = ["state", "outcome"]
    list_select_related = ["batch"]
    search_fields = ["key"]
