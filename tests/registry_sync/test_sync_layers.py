"""Layers come in with the functions that use them: once, with their sizes, and what AWS deletes is kept as gone."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.aws.clients import OWN, management_client
from services_registry.choices import NewestFrom
from services_registry.models import Function, Layer, LayerVersion
from services_registry.registry import sync_all
from services_registry.registry.layers import sync_layers
from services_registry.registry.measuring import Measuring
from tests.registry_sync.test_sync_functions import empty_zip, published

__all__ = ["published"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def aws() -> Any:
    return management_client("lambda", settings.AWS_REGION)


@pytest.fixture
def publish_layer(aws: Any) -> Iterator[Callable[..., str]]:
    """`publish_layer(size_mb=30)`: the ARN of one more version of one layer."""
    name, versions = f"deps-{uuid.uuid4().hex[:8]}", []

    def publish(*, size_mb: int, runtimes: tuple[str, ...] = ("python3.12",)) -> str:
        answer = aws.publish_layer_version(
            LayerName=name, Content={"ZipFile": empty_zip()}, CompatibleRuntimes=list(runtimes), Description="shared",
            LicenseInfo=f"local:code-size={size_mb * 1_000_000}",
        )  # fmt: skip
        versions.append(answer["Version"])
        return str(answer["LayerVersionArn"])

    yield publish
    for version in versions:
        aws.delete_layer_version(LayerName=name, VersionNumber=version)


def writes(caught: CaptureQueriesContext, table: str) -> list[str]:
    return [q["sql"] for q in caught.captured_queries if table in q["sql"] and not q["sql"].startswith("SELECT")]


def test_layers_come_in_once_with_sizes_runtimes_and_the_newest_version(
    published: str, aws: Any, publish_layer: Callable[..., str]
) -> None:
    used = publish_layer(size_mb=30)
    aws.update_function_configuration(FunctionName=published, Layers=[used])
    newest = publish_layer(size_mb=45, runtimes=("python3.12", "python3.13"))
    [run] = sync_all()
    assert run.failed == []
    layer = Layer.objects.get(arn=used.rpartition(":")[0])
    found = {row.version: row for row in layer.versions.all()}
    assert {number: row.code_bytes for number, row in found.items()} == {1: 30_000_000, 2: 45_000_000}
    assert found[2].runtimes == ["python3.12", "python3.13"] and found[2].description == "shared"
    assert found[1].code_sha256 and found[1].created and layer.newest_from == NewestFrom.LISTED
    assert Function.objects.get(name=published).layers == [{"arn": used, "bytes": 30_000_000}]
    for full in (False, True):
        with CaptureQueriesContext(connection) as caught:
            [run] = sync_all(full=full)
        assert run.changed == 0
        assert writes(caught, "services_registry_layer") == []
    aws.delete_layer_version(LayerName=layer.name, VersionNumber=1)
    sync_all(full=True)
    gone = {row.version: row.gone is not None for row in layer.versions.all()}
    assert gone == {1: True, 2: False}, newest


def test_a_layer_that_cannot_be_read_says_why_and_keeps_the_size_its_functions_state(published: str, aws: Any) -> None:
    sync_all()
    arn = f"arn:aws:lambda:{settings.AWS_REGION}:998877665544:layer:vendor:7"
    # The local AWS attaches no layer that it does not have; a row as another account's layer would leave it.
    Function.objects.filter(name=published).update(layers=[{"arn": arn, "bytes": 12_000_000}])
    [run] = sync_all()
    row = LayerVersion.objects.get(arn=arn)
    assert row.code_bytes == 12_000_000 and row.layer.account == "998877665544"
    assert row.gone is not None or row.problem
    assert row.layer.newest_from == NewestFrom.SEEN


def test_newer_versions_of_another_accounts_layer_are_found_by_their_numbers(
    published: str, publish_layer: Callable[..., str]
) -> None:
    sync_all()
    own = [publish_layer(size_mb=number) for number in (1, 2, 3)]
    function = Function.objects.get(name=published)
    # The local AWS reads a layer by name and number whatever the account: as if that account let everybody use it.
    foreign = own[0].replace(f":{function.account}:", ":998877665544:")
    Function.objects.filter(pk=function.pk).update(layers=[{"arn": foreign, "bytes": 1_000_000}])
    look: dict[str, Any] = {"region": function.region, "access": OWN, "account": function.account}
    for full, found, how in ((False, [1], NewestFrom.SEEN), (True, [1, 2, 3], NewestFrom.ASKED)):
        assert sync_layers(**look, full=full, measuring=Measuring.begin()) == []
        layer = Layer.objects.get(arn=foreign.rpartition(":")[0])
        assert sorted(layer.versions.values_list("version", flat=True)) == found
        assert layer.newest_from == how
    with CaptureQueriesContext(connection) as caught:
        sync_layers(**look, full=True, measuring=Measuring.begin())
    assert writes(caught, "services_registry_layer") == []
