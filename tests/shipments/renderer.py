"""Our function for printing, published to the local AWS of the tests."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings

from core.aws import storage
from core.aws.errors import AwsConflict
from services_registry.samples.publish import publish_function
from shipments.functions.package import FUNCTIONS, build

NAME = "shipments-render-pdf"


@pytest.fixture(scope="session")
def renderer() -> str:
    if not settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")
    ours = FUNCTIONS[NAME]
    storage.ensure_bucket()
    with tempfile.TemporaryDirectory() as folder, suppress(AwsConflict):
        publish_function(
            name=NAME, code_zip=build(NAME, Path(folder)).read_bytes(), tags={}, Runtime=ours.runtime,
            Handler=ours.handler, MemorySize=ours.memory_mb, Timeout=ours.timeout_s, Architectures=[ours.architecture],
        )  # fmt: skip
    return NAME
