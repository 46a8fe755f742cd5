"""Reading and publishing Lambda functions through the management API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.aws.clients import boto_client, lambda_bucket, management_client
from core.aws.errors import translated

Configuration = dict[str, Any]
QUICK_S = 2  # for questions asked while somebody waits for a page


def list_functions(*, region: str) -> Iterator[Configuration]:
    """Configurations of all functions of the region, page by page (50 a page at most, an AWS limit)."""
    client = management_client("lambda", region)
    marker: str | None = None
    while True:
        answer = client.list_functions(MaxItems=50, **({"Marker": marker} if marker else {}))
        yield from answer.get("Functions", [])
        marker = answer.get("NextMarker")
        if not marker:
            return


def get_function(name: str, *, region: str) -> dict[str, Any]:
    """`GetFunction`: Configuration, Tags and Concurrency, which `ListFunctions` leaves out."""
    answer: dict[str, Any] = management_client("lambda", region).get_function(FunctionName=name)
    return answer


def create_function(*, region: str, code_zip: bytes, **configuration: Any) -> Configuration:
    answer: Configuration = management_client("lambda", region).create_function(
        Code={"ZipFile": code_zip}, **configuration
    )
    return answer


def update_function(*, region: str, name: str, code_zip: bytes, **configuration: Any) -> None:
    """Replace the code and configuration of an existing function."""
    client = management_client("lambda", region)
    client.update_function_code(FunctionName=name, ZipFile=code_zip)
    client.update_function_configuration(FunctionName=name, **configuration)


def unreserved_concurrency(*, region: str) -> int:
    """How many invocations the account may run at once in a region beside those reserved for single functions.

    Asked once and answered within seconds, since a page waits for it.

    Raises:
        AwsError: AWS did not answer in time, or refused.
    """
    client = boto_client("lambda", region, read_timeout_s=QUICK_S, attempts=1)
    lambda_bucket("GetAccountSettings", region).book()  # counts, but must not wait behind a long sync
    with translated("lambda get_account_settings"):
        return int(client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])
