"""Background work of deliveries: thin doors that carry ids only."""

from __future__ import annotations

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from core.errors import RefusedError
from shipments import automations, events, rollups
from shipments.completeness import automatic, upkeep
from shipments.connections import cleaning, fetching, sweeps
from shipments.deliveries import runs as imports
from shipments.deliveries.retention import purge_import_files as purge
from shipments.documents import extraction, printing, retention
from shipments.documents.previews import make_pages
from shipments.models import CarrierConnection, Document
from shipments.status import ageing, backlog, runs


@shared_task(name="shipments.age_shipments", ignore_result=True, expires=3000)
def age_shipments() -> None:
    """Deliveries silent for long get their status by rule, and the backlog is counted; hourly, harmless at any time."""
    ageing.age_shipments()
    backlog.count_all()


@shared_task(
    name="shipments.remap",
    ignore_result=True,
    autoretry_for=(OperationalError,),
    max_retries=5,
    retry_backoff=5,
    retry_jitter=True,
)
def remap(run_id: str) -> None:
    """Go on with a re-run over the history and send itself again while there is more."""
    if runs.work(run_id):
        remap.delay(run_id)


@shared_task(name="shipments.run_import", ignore_result=True, soft_time_limit=6 * 3600, time_limit=7 * 3600)
def run_import(run_id: str) -> None:
    """Take a file over. Sent twice, or to two workers, one of them does it; a dead worker's run is gone on with."""
    imports.work(run_id)


@shared_task(name="shipments.continue_imports", ignore_result=True, expires=50)
def continue_imports() -> None:
    """Imports whose worker died, or whose message was lost; every minute, and harmless at any time."""
    for run_id in imports.claimable().values_list("pk", flat=True)[:20]:
        run_import.delay(str(run_id))


@shared_task(name="shipments.purge_import_files", ignore_result=True, expires=3600)
def purge_import_files() -> None:
    """Bytes of old imports; daily, and harmless at any time."""
    purge()


@shared_task(name="shipments.take_waiting_events", ignore_result=True, expires=3000)
def take_waiting_events() -> None:
    """Tracking events that came before their delivery; after every import, hourly, and harmless at any time."""
    events.take_waiting()


@shared_task(name="shipments.refresh_home", ignore_result=True, expires=240)
def refresh_home(everything: bool = False) -> None:
    """Count the numbers of the home page; every five minutes, when a person asks, and harmless at any time."""
    rollups.refresh(only_due=not everything)


@shared_task(name="shipments.read_documents", ignore_result=True, expires=600)
def read_documents() -> None:
    """Read documents that wait, and send itself again while there are more; every minute, and after each is kept."""
    if extraction.work():
        read_documents.delay()
    for job_id in printing.claimable().values_list("pk", flat=True)[:5]:
        print_documents.delay(str(job_id))  # whose worker died, or whose message was lost


@shared_task(name="shipments.draw_document", ignore_result=True, expires=300)
def draw_document(pk: int) -> None:
    """The pages of one document as pictures, because somebody looks at it."""
    document = Document.objects.filter(pk=pk).first()
    if document is not None:
        make_pages(document)


@shared_task(name="shipments.print_documents", ignore_result=True)
def print_documents(job_id: str) -> None:
    """Many documents as one PDF. Sent twice, one worker does it."""
    printing.work(job_id)


@shared_task(name="shipments.keep_documents", ignore_result=True, expires=3600)
def keep_documents() -> None:
    """What retention says, what was deleted 30 days ago, and old prints; nightly."""
    retention.apply_rules()
    retention.empty_bin()
    printing.remove_old()


@shared_task(name="shipments.sweep_due", ignore_result=True, expires=50)
def sweep_due() -> None:
    """Every minute: one message for each connection that is due, so that a slow carrier delays only itself."""
    for connection_id in sweeps.due_connections(timezone.now()):
        sweep_connection.delay(connection_id)


@shared_task(name="shipments.sweep_connection", ignore_result=True, expires=600)
def sweep_connection(connection_id: int) -> None:
    """Start the listing of one connection; what waits from before is fetched and cleaned up even if that fails."""
    connection = CarrierConnection.objects.filter(pk=connection_id).first()
    if connection is None:
        return
    try:
        sweeps.sweep(connection)
    except RefusedError:
        return  # paused or left alone since
    fetching.match_again(connection)


@shared_task(name="shipments.fetch_waiting", ignore_result=True, expires=600)
def fetch_waiting(connection_id: int) -> None:
    """Fetch what a listing found whole. Sent twice, each file goes once."""
    if connection := CarrierConnection.objects.filter(pk=connection_id).first():
        fetching.fetch_waiting(connection)


@shared_task(name="shipments.clean_fetched", ignore_result=True, expires=600)
def clean_fetched(connection_id: int) -> None:
    """Delete or move on the server what is safely kept. Harmless at any time."""
    if connection := CarrierConnection.objects.filter(pk=connection_id).first():
        cleaning.clean_fetched(connection)


@shared_task(name="shipments.forget_sweeps", ignore_result=True, expires=3000)
def forget_sweeps() -> None:
    """Drop batches of old sweeps; hourly, harmless at any time."""
    sweeps.forget_sweeps(timezone.now())


@shared_task(name="shipments.keep_completeness", ignore_result=True, expires=10)
def keep_completeness() -> None:
    """What changed about deliveries and their documents is judged anew; every ten seconds, harmless at any time."""
    upkeep.keep_up()


@shared_task(name="shipments.fetch_due", ignore_result=True, expires=50)
def fetch_due() -> None:
    """Missing documents whose next try is due are fetched, if that is switched on; every minute, twice at once is once."""
    automatic.fetch_due()


@shared_task(name="shipments.run_automations", ignore_result=True, expires=50)
def run_automations() -> None:
    """Do what the rules say about what happened; every minute, and harmless at any time and twice at once."""
    automations.run_automations()
