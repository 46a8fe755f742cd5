"""Addresses of this app."""

from django.urls import URLPattern, URLResolver, path

from services_registry.function_urls import urlpatterns as functions
from services_registry.views import batch_actions, batch_downloads, batch_list, batch_plan, batches, schedules

urlpatterns: list[URLPattern | URLResolver] = [
    path("batches/", batch_list.batch_list, name="batch-list"),
    path("batches/list.csv", batch_downloads.list_csv, name="batch-list-csv"),
    path("batches/running/", batch_list.running_batches, name="batch-running"),
    path("batches/home/", batch_list.home_panel, name="batch-home-panel"),
    path("batches/plan/", batch_plan.plan, name="batch-plan"),
    path("batches/start/", batch_plan.start, name="batch-start"),
    path("batches/<uuid:pk>/", batches.batch_detail, name="batch-detail"),
    path("batches/<uuid:pk>/items.csv", batch_downloads.items_csv, name="batch-items-csv"),
    path("batches/<uuid:pk>/results.zip", batch_downloads.results_zip, name="batch-results-zip"),
    path("batches/<uuid:pk>/chunks/<int:position>/", batches.batch_chunk, name="batch-chunk"),
    path("batches/<uuid:pk>/durations/", batches.batch_durations, name="batch-durations"),
    path("batches/<uuid:pk>/pause/", batch_actions.pause, name="batch-pause"),
    path("batches/<uuid:pk>/resume/", batch_actions.resume, name="batch-resume"),
    path("batches/<uuid:pk>/adjust/", batch_actions.adjust, name="batch-adjust"),
    path("batches/<uuid:pk>/cancel/", batch_actions.cancel, name="batch-cancel"),
    path("batches/<uuid:pk>/retry/", batch_actions.retry, name="batch-retry"),
    path("batches/engine/", schedules.engine, name="engine-limit"),
    path("batches/schedules/", schedules.schedule_list, name="schedule-list"),
    path("batches/schedules/<int:pk>/", schedules.schedule_detail, name="schedule-detail"),
    path("batches/schedules/<int:pk>/pause/", schedules.pause, name="schedule-pause"),
    path("batches/schedules/<int:pk>/resume/", schedules.resume, name="schedule-resume"),
    path("batches/schedules/<int:pk>/run/", schedules.start_now, name="schedule-run"),
    *functions,
]
