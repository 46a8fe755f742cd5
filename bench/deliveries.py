"""The list of deliveries at volume, against REST framework's LimitOffset with its count on the same table.

800,000 rows unless SCALE=full, then 8 million. The peer's cost grows with the table and ours does not, so the ratio that
the product promises is bound at 8 million rows, and a looser one at 800,000.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q
from django.http import QueryDict
from django.template import engines
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.viewsets import ReadOnlyModelViewSet

from bench import home, take_in
from bench.pages import browser_of
from bench.results import Result, at_least, at_most
from core.pagination import after as after_row
from core.pagination import decode, encode, keys_of
from shipments.api.serializers import ShipmentSerializer
from shipments.api.views import ShipmentViewSet
from shipments.deliveries.generated import generate
from shipments.filters import ShipmentFilter
from shipments.listing.asked import Asked
from shipments.listing.columns import Words
from shipments.listing.page import words_now
from shipments.listing.search import narrowed
from shipments.listing.table import rows_html
from shipments.models import Shipment

SIZES = (80_000, 800_000, 8_000_000)
PROMISED_AT, PROMISE, LOOSER = 8_000_000, 1 / 30, 1 / 2
LONGEST_QUERY_MS, ROUNDS, PEER_ROUNDS = 50, 15, 4
FILTERS = (
    "", "status=on_hold", "status=delivered", "status=unknown&status=cancelled", "carrier=generated-01",
    "carrier=generated-80", "country=LU", "country=ES&status=on_hold", "country=LU&status=on_hold", "unmapped=true",
    "carrier=generated-10&country=LU&status=on_hold&status=unknown", "created_before=2026-11-18",
    "missing=proof_of_delivery&status=delivered",
)  # fmt: skip
_DTL = """{% load shipment_tags core_tags %}{% for row in rows %}<tr>
<td class="tick"><input type="checkbox" class="form-check-input" name="keys" value="{{ row.pk }}"
 data-select aria-label="{{ row.tracking_number }}"></td>
<th scope="row" data-label="Tracking number"><span><a
 href="{% url 'shipment-detail' row.pk %}">{{ row.tracking_number }}</a>
{% if row.sample %} {% include "components/sample_dot.html" %}{% endif %}</span></th>
<td data-label="Status">{{ row.status|status_badge }}</td><td class="keep" data-label="Carrier">{{ row.carrier.name }}</td>
<td class="keep" data-label="Reference">{{ row.reference }}</td><td data-label="Customer">{{ row.customer }}</td>
<td data-label="To">{{ row.recipient.city }} {{ row.destination_country }}</td><td data-label="Ordered">{{ row.created|ago }}</td>
</tr>{% endfor %}"""


class _Peer(ReadOnlyModelViewSet[Shipment]):
    """The same rows, filters and fields by LimitOffset."""

    queryset = Shipment.objects.select_related("carrier").order_by("-created", "-id")
    serializer_class = ShipmentSerializer
    filterset_class = ShipmentFilter
    filter_backends = [DjangoFilterBackend]

    class pagination_class(LimitOffsetPagination):  # noqa: N801  # the name REST framework asks for
        default_limit = 50


def finding(actor: User, *, full: bool) -> Iterator[Result]:
    """Grow the table step by step; measure growth at each step and everything else at the last."""
    growth: dict[str, float] = {}
    taken: dict[str, float] = {}
    counting: dict[str, float] = {}
    sizes = SIZES if full else SIZES[:-1]
    for size in sizes:
        _empty()
        generate(size)
        growth[f"page_ms_{size}"] = _page_ms(actor, "")
        taken[f"rows_s_{size}"] = take_in.pace()
        counting |= home.counted(size)
    yield at_most(
        f"page one at {sizes[-1]:,} rows, of page one at {sizes[0]:,}",
        growth[f"page_ms_{sizes[-1]}"] / growth[f"page_ms_{sizes[0]}"], 2, n=sizes[-1], **growth,
    )  # fmt: skip
    yield at_most(
        f"time to take in rows at {sizes[-1]:,}, of the same at {sizes[0]:,}",
        taken[f"rows_s_{sizes[0]}"] / taken[f"rows_s_{sizes[-1]}"], 1.5, n=sizes[-1], **taken,
    )  # fmt: skip
    yield from measured(actor, sizes[-1])
    yield from home.at_home(actor, sizes[-1], counting)
    _empty()


def measured(actor: User, rows: int) -> Iterator[Result]:
    """All ratios on the table as it is now."""
    yield from _against_peer(actor, rows)
    yield from _depth(actor, rows)
    yield from _share_of_sql(rows)
    yield from _search(rows)
    yield from _rendering(rows)


def _against_peer(actor: User, rows: int) -> Iterator[Result]:
    """Every filter on its first page and deep in the list, ours in turn with the peer's."""
    limit, limit_of_filters = (PROMISE, PROMISE) if rows >= PROMISED_AT else (LOOSER, 1)
    with _queries() as took:
        found = {query: _beside(actor, query, rows) for query in FILTERS}
    for place, name in enumerate(("API list", "list page")):
        for depth, column in (("page one", 0), ("deep", 1)):
            ours, peer = found[""][column][place], found[""][column][2]
            yield at_most(f"{name}, {depth}, of LimitOffset", ours / peer, limit, n=rows, ours_ms=ours, peer_ms=peer)
        # Where few match, the peer has few to count and is quick too: the ratio is about filters that match much.
        many = {query: times for query, times in found.items() if _matches(query, rows // 10)}
        worst = max(many, key=lambda query: many[query][0][place] / many[query][0][2])
        yield at_most(
            f"{name}, filter that gains least ({worst or 'none'})", many[worst][0][place] / many[worst][0][2], limit_of_filters,
            n=rows, ours_ms=many[worst][0][place], peer_ms=many[worst][0][2], filters=len(many),
        )  # fmt: skip
        slowest = max(found, key=lambda query: max(times[place] for times in found[query]))
        ms = max(times[place] for times in found[slowest])
        yield at_most(
            f"{name}, slowest filter ({slowest or 'none'}), of LimitOffset's page one", ms / found[""][0][2], limit,
            n=rows, ms=ms, peer_ms=found[""][0][2], times_page_one=ms / found[""][0][place],
        )  # fmt: skip
    slowest_ms = max(statistics.median(times) for times in took.values())
    yield at_most("slowest query of them all, of 50 ms", slowest_ms / LONGEST_QUERY_MS, 1, n=rows, ms=slowest_ms)


def _matches(query: str, at_least: int) -> bool:
    return bool(Asked.of(QueryDict(query)).found()[at_least:].exists())


def _beside(actor: User, query: str, rows: int) -> list[tuple[float, float, float]]:
    """(API, page, peer) in milliseconds, for page one and deep in the list."""
    times = []
    for depth in (0.0, 0.99):
        # The peer at its best: how many rows match a filter is not known, so it does not go far.
        offset = 0 if not depth else 10_000 if query else int(rows * depth)
        ours = "&".join(part for part in (query, f"cursor={_cursor(depth)}" if depth else "") if part)
        theirs = f"{query}&offset={offset}"
        with _unwatched():
            peer = _usual_ms(partial(_call, _Peer, actor, theirs), PEER_ROUNDS)
        times.append((_usual_ms(partial(_call, ShipmentViewSet, actor, ours), ROUNDS), _page_ms(actor, ours), peer))
    return times


def _depth(actor: User, rows: int) -> Iterator[Result]:
    cursor = _cursor(0.99)
    first, deep = _in_turns_ms(
        ROUNDS * 2,
        lambda: _call(ShipmentViewSet, actor, ""),
        lambda: _call(ShipmentViewSet, actor, f"cursor={cursor}"),
    )
    yield at_most("deep page, of page one", deep / first, 1.5, n=rows, first_ms=first, deep_ms=deep)


def _share_of_sql(rows: int) -> Iterator[Result]:
    """Everything the database does for a page of the list, of the bare query for the same rows."""
    cursor, asked = _cursor(0.5), Asked.of(QueryDict(""))
    start = decode(cursor, keys_of(Shipment.objects.all(), asked.order))[1]
    after = asked.rows().filter(after_row(keys_of(Shipment.objects.all(), asked.order), start, reverse=False))
    statement, values = after.order_by("-created", "-id")[:51].query.sql_with_params()

    def ours() -> None:
        asked.page(cursor)

    def bare() -> None:
        with connection.cursor() as raw:
            raw.execute(statement, values)
            raw.fetchall()

    mine = []
    for _round in range(ROUNDS * 2):
        with _queries() as took:
            ours()
        mine.append(sum(ms for times in took.values() for ms in times))
    ms, raw = statistics.median(mine), _usual_ms(bare, ROUNDS * 2)
    yield at_most("SQL of a page, of the raw keyset query", ms / raw, 5, n=rows, ours_ms=ms, raw_ms=raw)


def _search(rows: int) -> Iterator[Result]:
    number = Shipment.objects.order_by("created")[rows // 3].tracking_number
    text = number[3:9]
    naive = Q(tracking_number__icontains=text) | Q(reference__icontains=text) | Q(customer__icontains=text)
    ordered = Shipment.objects.order_by("-created", "-id")
    peer = _usual_ms(lambda: list(ordered.filter(naive)[:51]), PEER_ROUNDS)
    ours = _usual_ms(lambda: list(narrowed(ordered, text)[:51]), ROUNDS)
    limit = 100 if rows >= PROMISED_AT else 10
    yield at_least("icontains, of our search inside texts", peer / ours, limit, n=rows, ours_ms=ours, peer_ms=peer)


def _rendering(rows: int) -> Iterator[Result]:
    """50 rows that are read already: our writer, and Django's template for the same table."""
    asked, words = Asked.of(QueryDict("")), words_now()
    found = asked.page().rows
    objects = list(Shipment.objects.select_related("carrier").order_by("-created", "-id")[:50])
    template = engines["django"].from_string(_DTL)

    def ours() -> None:
        rows_html(found, asked.columns, Words.for_request(words.carriers), came_from="", ticks=True)

    peer = _usual_ms(lambda: template.render({"rows": objects}), ROUNDS * 2)
    mine = _usual_ms(ours, ROUNDS * 2)
    yield at_most("rows of the table, of Django's template", mine / peer, 1 / 3, n=rows, ours_ms=mine, template_ms=peer)


def _call(view: Any, actor: User, query: str) -> None:
    request = APIRequestFactory().get(f"/api/v1/shipments/?{query}")
    force_authenticate(request, actor)
    response = view.as_view({"get": "list"})(request).render()
    if response.status_code != 200:
        raise AssertionError(f"{query}: status {response.status_code}")


def _page_ms(actor: User, query: str) -> float:
    client = browser_of(actor)

    def view() -> None:
        if client.get(f"/deliveries/?{query}").status_code != 200:
            raise AssertionError(query)

    return _usual_ms(view, ROUNDS)


def _usual_ms(work: Callable[[], Any], rounds: int) -> float:
    """The lower quartile after one round that is not counted: what others do on the machine falls out, on both sides."""
    return _in_turns_ms(rounds, work)[0]


def _in_turns_ms(rounds: int, *works: Callable[[], Any]) -> list[float]:
    """The same of several that differ little: one after the other in every round."""
    times: list[list[float]] = [[] for _work in works]
    for _round in range(rounds + 1):
        for work, spent in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            spent.append((time.perf_counter() - began) * 1000)
    return [statistics.quantiles(spent[1:], n=4)[0] for spent in times]


def _cursor(depth: float) -> str:
    """Where a page so deep in the whole list begins (0 to 1)."""
    ids = Shipment.objects.order_by("id").values_list("id", flat=True)
    first, last = ids[0], ids.reverse()[0]
    row = Shipment.objects.filter(pk__lte=last - int((last - first) * depth)).order_by("-id")[0]
    return encode("n", [row.created, row.pk])


_watching = True


@contextmanager
def _queries() -> Iterator[dict[str, list[float]]]:
    """Milliseconds of every statement inside, by its text with its values, except what is `_unwatched`."""
    took: defaultdict[str, list[float]] = defaultdict(list)

    def timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if _watching:
                took[f"{sql} {params}"].append((time.perf_counter() - began) * 1000)

    with connection.execute_wrapper(timed):
        yield took


@contextmanager
def _unwatched() -> Iterator[None]:
    global _watching
    _watching = False
    try:
        yield
    finally:
        _watching = True


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE shipments_shipment CASCADE")
