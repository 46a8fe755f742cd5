"""The pages of layers and sizes: who uses which version, who is behind, what an upgrade touches, and how sure sizes are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from services_registry.models import Function, Layer, LayerVersion, PackageSize

ClientAs = Callable[[User], Client]
Make = Callable[..., Function]
pytestmark = pytest.mark.django_db
MB = 1_000_000


@pytest.fixture
def make_layer() -> Callable[..., list[LayerVersion]]:
    """`make_layer("deps", {1: 30, 2: 90})`: versions with their zipped megabytes, the first one first."""

    def make(name: str, sizes: dict[int, int], **fields: Any) -> list[LayerVersion]:
        arn = f"arn:aws:lambda:eu-west-1:123456789012:layer:{name}"
        layer = Layer.objects.create(
            arn=arn, account="123456789012", region="eu-west-1", name=name, newest_from="listed"
        )
        given = {"runtimes": ["python3.12"]} | fields
        return [
            LayerVersion.objects.create(
                layer=layer, version=number, arn=f"{arn}:{number}", code_bytes=size * MB, code_sha256=f"{name}-{number}",
                **given,
            )
            for number, size in sizes.items()
        ]  # fmt: skip

    return make


def using(*versions: LayerVersion) -> list[dict[str, Any]]:
    return [{"arn": version.arn, "bytes": version.code_bytes} for version in versions]


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def test_the_matrix_says_who_uses_which_version_and_who_is_behind(
    make_function: Make, make_layer: Any, client_as: ClientAs, viewer: User
) -> None:
    first, _second, third = make_layer("deps", {1: 10, 2: 10, 3: 10})
    make_layer("idle", {4: 1})
    [others] = make_layer("others-idle", {4: 1})
    Layer.objects.filter(pk=others.layer_id).update(newest_from="seen")
    make_function("render", owner="documents", layers=using(first))
    make_function("fetch", owner="tracking", layers=using(third))
    make_function("was-there", layers=using(first), gone=timezone.now())
    client = client_as(viewer)
    text = text_of(client, "/functions/layers/")
    assert "2 functions use one" in text and "1 behind the newest version" in text and "by up to 2" in text
    text_of(client, f"/functions/layers/{others.layer_id}/")
    assert "was-there" not in text and "others-idle" not in text and "used by none" in text
    for query, found in (
        ("state=behind", ["deps"]), ("state=unused", ["idle"]), ("owner=tracking", ["deps"]), ("q=RENDER", ["deps"]),
        ("q=nothing", []), ("state=gone", []), ("sort=name", ["deps", "idle"]), ("sort=-name", ["idle", "deps"]),
    ):  # fmt: skip
        text = text_of(client, f"/functions/layers/?{query}")
        places = {name: text.find(f'/">{name}</a>') for name in ("deps", "idle")}
        assert [name for name, place in sorted(places.items(), key=lambda pair: pair[1]) if place >= 0] == found, query
    assert "No layer matches" in text_of(client, "/functions/layers/?q=nothing")
    text_of(client, "/functions/layers/?state=odd", 400)
    lines = b"".join(client.get("/functions/layers/export.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert ",3,listed,1,2,,render,documents,python3.12," in lines and "idle" in lines


def test_an_upgrade_names_functions_owners_sizes_and_what_goes_wrong(
    make_function: Make, make_layer: Any, client_as: ClientAs, viewer: User
) -> None:
    small, large = make_layer("deps", {1: 10, 2: 60})
    make_function("tight", owner="documents", code_bytes=40 * MB, layers=using(small))
    make_function("roomy", owner="tracking", code_bytes=1 * MB, layers=using(small), runtime="python3.13")
    make_function("already", owner="finance", layers=using(large))
    client = client_as(viewer)
    page = text_of(client, f"/functions/layers/{small.layer_id}/")
    planned = page.partition('id="upgrade"')[2]
    assert "2 functions would change" in planned and "documents (1), tracking (1)" in planned
    assert "1 may be over 250 MB" in planned and "not for python3.13" in planned
    assert "would be over 250 MB" not in planned, "an estimate is no certainty"
    assert "≈ 300.0 MB" in planned and "≈ 183.0 MB" in planned and "already" not in planned
    known = PackageSize.objects.create(content="deps-2", unzipped_bytes=70 * MB)
    page = text_of(client, f"/functions/layers/{small.layer_id}/?to=2")
    assert "may be over" not in page and "No new finding of size" in page
    PackageSize.objects.create(content="tight", unzipped_bytes=200 * MB)
    Function.objects.filter(name="tight").update(code_sha256="tight")
    assert "1 would be over 250 MB" in text_of(client, f"/functions/layers/{small.layer_id}/?to=2")
    known.delete()
    back = text_of(client, f"/functions/layers/{small.layer_id}/?to=1").partition('id="upgrade"')[2]
    assert "already" in back and "tight" not in back
    text_of(client, "/functions/layers/999999/", 404)


def test_a_deleted_version_is_no_target_and_is_said(
    make_function: Make, make_layer: Any, client_as: ClientAs, viewer: User
) -> None:
    old, gone = make_layer("deps", {1: 10, 2: 10})
    LayerVersion.objects.filter(pk=gone.pk).update(gone=timezone.now())
    make_function("render", layers=using(gone))
    client = client_as(viewer)
    assert "deleted" in text_of(client, "/functions/layers/?state=gone")
    page = text_of(client, f"/functions/layers/{old.layer_id}/?to=2")
    assert '<option value="1" selected>' in page and '<option value="2"' not in page
    assert (
        client.get(f"/functions/layers/by-arn/{gone.arn}/").headers["Location"] == f"/functions/layers/{old.layer_id}/"
    )


def test_sizes_say_what_is_measured_stated_estimated_and_not_known(
    make_function: Make, make_layer: Any, client_as: ClientAs, viewer: User
) -> None:
    [layer] = make_layer("deps", {1: 20})
    make_function("estimated", code_bytes=10 * MB, code_sha256="a", layers=using(layer))
    make_function("stated", code_bytes=10 * MB, code_sha256="b")
    make_function("measured", code_bytes=10 * MB, code_sha256="c")
    make_function("unknown", code_bytes=0)
    make_function("huge", code_bytes=200 * MB, code_sha256="d")
    make_function("image", package_type="Image", runtime="", code_bytes=900 * MB)
    PackageSize.objects.create(content="b", unzipped_bytes=250 * MB, note="counted")
    PackageSize.objects.create(content="c", unzipped_bytes=12 * MB, source="measured")
    client = client_as(viewer)
    page = text_of(client, "/functions/sizes/")
    assert "2 over 80 % of 250 MB" in page and "image" not in page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert "≈ 90.0 MB" in page and "≈ 262.1 MB" in page, "no estimate beyond what AWS takes"
    rows = b"".join(client.get("/functions/sizes/export.csv?sort=name").streaming_content).decode()  # type: ignore[attr-defined]
    facts = {line.split(",")[0]: line.split(",")[-3:-1] for line in rows.splitlines()[1:]}
    assert facts == {
        "estimated": ["fine", "estimated"], "stated": ["near", "stated"], "measured": ["fine", "measured"],
        "unknown": ["unknown", "unknown"], "huge": ["near", "estimated"],
    }  # fmt: skip
    assert "stated" in text_of(client, "/functions/sizes/?basis=stated")
    for query, count in (("room=near", 2), ("basis=measured", 1), ("q=deps", 1), ("runtime=python3.12", 5), ("q=x", 0)):
        found = b"".join(client.get(f"/functions/sizes/export.csv?{query}").streaming_content)  # type: ignore[attr-defined]
        assert len(found.splitlines()) == count + 1, query


def test_enough_measured_packages_make_the_ratio_of_the_estimates(
    make_function: Make, client_as: ClientAs, viewer: User
) -> None:
    make_function("asked", code_bytes=10 * MB, code_sha256="asked")
    for number in range(5):
        make_function(f"known-{number}", code_bytes=1 * MB, code_sha256=f"k{number}")
        client = client_as(viewer)
        assert "≈ 30.0 MB" in text_of(client, "/functions/sizes/?q=asked")
        PackageSize.objects.create(content=f"k{number}", unzipped_bytes=5 * MB, source="measured")
    assert "≈ 50.0 MB" in text_of(client, "/functions/sizes/?q=asked")


def test_the_pages_cost_the_same_whatever_the_number_of_functions(
    make_function: Make, make_layer: Any, client_as: ClientAs, viewer: User,
    query_budget: Callable[[int], AbstractContextManager[Any]],
) -> None:  # fmt: skip
    first, second = make_layer("deps", {1: 10, 2: 10})
    client = client_as(viewer)
    client.get("/functions/layers/")
    for count in (3, 30):
        for number in range(count):
            make_function(f"f-{count}-{number}", layers=using(first if number % 2 else second))
        for address in ("/functions/layers/", f"/functions/layers/{first.layer_id}/", "/functions/sizes/"):
            with query_budget(11):
                assert client.get(address).status_code == 200


def test_a_functions_page_says_what_its_package_takes_and_which_layer_is_behind(
    make_function: Make, make_layer: Any, client_as: ClientAs, viewer: User
) -> None:
    old, _new = make_layer("deps", {1: 10, 2: 60}, runtimes=["python3.13"])
    function = make_function("render", code_bytes=40 * MB, layers=using(old))
    image = make_function("image", package_type="Image")
    client = client_as(viewer)
    address = f"/functions/{function.pk}/size/"
    assert f'hx-get="{address}"' in text_of(client, f"/functions/{function.pk}/")
    part = text_of(client, address)
    assert "1 version behind" in part and "not for python3.12" in part and "57 %" in part and "<html" not in part
    text_of(client, f"/functions/{image.pk}/size/", 404)


def test_without_anything_the_pages_say_why(client_as: ClientAs, viewer: User, client: Client) -> None:
    assert "Neither does a function use one" in text_of(client_as(viewer), "/functions/layers/")
    assert "after the first sync" in text_of(client_as(viewer), "/functions/sizes/")
    assert client.get("/functions/layers/").status_code == 302
