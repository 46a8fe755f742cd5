"""Addresses of the registry pages."""

from django.urls import path

from services_registry.views import (
    findings,
    firehose,
    fleet,
    function_edit,
    function_list,
    function_notes,
    function_payloads,
    functions,
    registry,
    stops,
    telemetry,
)

urlpatterns = [
    path("functions/", function_list.function_list, name="function-list"),
    path("functions/export.csv", function_list.functions_csv, name="function-list-csv"),
    *function_list.VIEWS.urls("functions/"),
    path("functions/edit/", function_edit.edit, name="function-edit"),
    path("functions/fleet/", fleet.fleet, name="function-fleet"),
    path("functions/changes/", registry.change_feed, name="function-changes"),
    path("functions/syncs/", registry.sync_list, name="sync-list"),
    path("functions/syncs/now/", registry.sync_now, name="sync-now"),
    path("functions/telemetry/", telemetry.telemetry, name="telemetry"),
    path("functions/telemetry/firehose/", firehose.firehose, name="telemetry-firehose"),
    path("functions/home/", functions.home_panel, name="function-home-panel"),
    path("functions/findings/", findings.finding_list, name="finding-list"),
    path("functions/findings/home/", findings.home_panel, name="finding-home-panel"),
    path("functions/findings/<int:pk>/", findings.finding_detail, name="finding-detail"),
    path("functions/findings/<int:pk>/snooze/", findings.finding_snooze, name="finding-snooze"),
    path("functions/findings/<int:pk>/unsnooze/", findings.finding_unsnooze, name="finding-unsnooze"),
    path("functions/<int:pk>/guardrails/", findings.function_guardrails, name="function-guardrails"),
    path("functions/<int:pk>/stop/", stops.stop, name="function-stop"),
    path("functions/<int:pk>/restore/", stops.restore, name="function-restore"),
    path("functions/<int:pk>/", functions.function_detail, name="function-detail"),
    path("functions/<int:pk>/run/", functions.run, name="function-run"),
    path("functions/<int:pk>/notes/", function_notes.write, name="function-note-write"),
    path("functions/<int:pk>/notes/<int:note_pk>/", function_notes.change, name="function-note-change"),
    path("functions/<int:pk>/notes/<int:note_pk>/delete/", function_notes.delete, name="function-note-delete"),
    path("functions/<int:pk>/notes/<int:note_pk>/restore/", function_notes.restore, name="function-note-restore"),
    path("functions/<int:pk>/payloads/", function_payloads.save, name="function-payload-save"),
    path(
        "functions/<int:pk>/payloads/<uuid:payload_pk>/delete/",
        function_payloads.delete,
        name="function-payload-delete",
    ),
    path(
        "functions/<int:pk>/payloads/<uuid:payload_pk>/restore/",
        function_payloads.restore,
        name="function-payload-restore",
    ),
    path("functions/by-name/<str:name>/", functions.by_name, name="function-by-name"),
]
