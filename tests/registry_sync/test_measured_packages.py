"""The sync measures packages by their tables of contents, once for each content, and lives without where it may not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings

from core.aws import functions as aws
from core.aws.clients import management_client
from core.aws.errors import AwsError, AwsRejected
from core.aws.packages import unpacked_bytes
from services_registry.choices import Basis
from services_registry.models import Function, LayerVersion, PackageSize
from services_registry.package_sizes import sizes_of
from services_registry.registry import sync_all
from services_registry.registry.measuring import Measuring

pytestmark = pytest.mark.django_db


def package(files: int, size: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(files):
            archive.writestr(f"some/folder/of/a/library/module_{number:05d}.py", b"x" * size)
    return packed.getvalue()


@pytest.fixture
def region(settings: Any) -> Iterator[str]:
    if not django_settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")
    settings.AWS_REGION, settings.AWS_MANAGEMENT_RATE = "eu-measured-9", 500
    yield settings.AWS_REGION
    client = management_client("lambda", settings.AWS_REGION)
    for function in list(aws.list_functions(region=settings.AWS_REGION)):
        client.delete_function(FunctionName=function["FunctionName"])


def publish(name: str, code: bytes, **more: Any) -> None:
    aws.create_function(
        region=django_settings.AWS_REGION, code_zip=code, FunctionName=name, Runtime="python3.12", Handler="a.b",
        Role="arn:aws:iam::123456789012:role/any", **more,
    )  # fmt: skip


def test_functions_and_layers_are_measured_once_by_their_tables_of_contents(region: str) -> None:
    layer = management_client("lambda", region).publish_layer_version(
        LayerName="deps", Content={"ZipFile": package(10, 5_000)}
    )
    publish("small", package(3, 1_000), Layers=[layer["LayerVersionArn"]])
    publish("many-files", package(3_000, 10))  # its table of contents is longer than the first read
    publish("stated-elsewhere", package(1, 7), Tags={"local:code-size": "999999"})
    [run] = sync_all()
    assert run.failed == []
    known = dict(PackageSize.objects.values_list("content", "unzipped_bytes"))
    of = {row.name: known.get(row.code_sha256) for row in Function.objects.all()}
    assert of == {"small": 3_000, "many-files": 30_000, "stated-elsewhere": None}, (
        "another package is not the one meant"
    )
    assert known[LayerVersion.objects.get().code_sha256] == 50_000
    [small] = [size for size in sizes_of(list(Function.objects.all())) if size.function.name == "small"]
    assert (small.total, small.basis) == (53_000, Basis.MEASURED)
    before = list(PackageSize.objects.order_by("pk").values())
    sync_all(full=True)
    assert list(PackageSize.objects.order_by("pk").values()) == before


def test_where_packages_cannot_be_reached_the_sync_says_so_and_goes_on(region: str, settings: Any) -> None:
    for number in range(5):
        publish(f"f{number}", package(1, number + 1))
    told = aws.get_function("f0", region=region)
    location, size = told["Code"]["Location"], told["Configuration"]["CodeSize"]
    assert unpacked_bytes(location, zipped_bytes=size) == 1
    for wrong, stated in ((location, size + 1), (location.replace(".zip", "0.zip"), size)):
        with pytest.raises(AwsRejected):
            unpacked_bytes(wrong, zipped_bytes=stated)
    with pytest.raises(AwsError):
        unpacked_bytes("http://127.0.0.1:9/nobody-listens.zip", zipped_bytes=size)
    measuring = Measuring.begin()
    for number in range(4):
        assert bool(measuring.problem) == (number == 3), "three in a row are enough"
        measuring.look_at(f"content-{number}", "http://127.0.0.1:9/nobody-listens.zip", size)
    assert not PackageSize.objects.exists()
    settings.MEASURE_PACKAGES = False
    sync_all()
    assert Function.objects.count() == 5 and not PackageSize.objects.exists()
    settings.MEASURE_PACKAGES = True
    sync_all(full=True)
    assert PackageSize.objects.filter(source="measured").count() == 5
