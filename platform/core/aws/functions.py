"""Reading and publishing Lambda functions through the management API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from core.aws.clients import OWN, Access, boto_client, lambda_bucket, management_client
from core.aws.errors import AwsNotFound, translated

Configuration = dict[str, Any]
QUICK_S = 2  # for questions asked while somebody waits for a page


def list_functions(*, region: str, access: Access = OWN) -> Iterator[Configuration]:
    """Configurations of all functions of the region, page by page (50 a page at most, an AWS limit)."""
    yield from _pages(management_client("lambda", region, access).list_functions, "Functions", MaxItems=50)


def _pages(ask: Callable[..., dict[str, Any]], what: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    while True:
        answer = ask(**arguments)
        yield from answer.get(what, [])
        if not answer.get("NextMarker"):
            return
        arguments["Marker"] = answer["NextMarker"]


def get_function(name: str, *, region: str, access: Access = OWN) -> dict[str, Any]:
    """`GetFunction`: Configuration, Tags and Concurrency, which `ListFunctions` leaves out."""
    answer: dict[str, Any] = management_client("lambda", region, access).get_function(FunctionName=name)
    return answer


def list_event_sources(*, region: str, access: Access = OWN) -> Iterator[dict[str, Any]]:
    """The event source mappings of all functions of the region, 100 a page."""
    client = management_client("lambda", region, access)
    yield from _pages(client.list_event_source_mappings, "EventSourceMappings", MaxItems=100)


def list_aliases(name: str, *, region: str, access: Access = OWN) -> list[dict[str, Any]]:
    """Its aliases with the versions they lead to."""
    client = management_client("lambda", region, access)
    return list(_pages(client.list_aliases, "Aliases", FunctionName=name, MaxItems=50))


def async_settings(name: str, *, region: str, access: Access = OWN) -> list[dict[str, Any]]:
    """How asynchronous calls are repeated and where their outcome goes, by qualifier; empty: AWS's defaults."""
    client = management_client("lambda", region, access)
    ask = client.list_function_event_invoke_configs
    return list(_pages(ask, "FunctionEventInvokeConfigs", FunctionName=name, MaxItems=50))


def provisioned_concurrency(name: str, *, region: str, access: Access = OWN) -> list[dict[str, Any]] | None:
    """Environments kept warm, by qualifier; None where this AWS does not say (the local one of the embedded stack)."""
    client = management_client("lambda", region, access)
    try:
        ask = client.list_provisioned_concurrency_configs
        return list(_pages(ask, "ProvisionedConcurrencyConfigs", FunctionName=name, MaxItems=50))
    except AwsNotFound:
        return None


def callers(name: str, *, region: str, access: Access = OWN) -> list[str]:
    """Service principals that its resource policy lets invoke it, such as `events.amazonaws.com`; sorted."""
    try:
        answer = management_client("lambda", region, access).get_policy(FunctionName=name)
    except AwsNotFound:
        return []
    found = set()
    for statement in json.loads(answer["Policy"]).get("Statement", []):
        principal = statement.get("Principal", {})
        service = principal.get("Service", "") if isinstance(principal, dict) else ""
        found |= {service} if isinstance(service, str) else set(service)
    return sorted(found - {""})


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


def reserve_concurrency(name: str, reserved: int | None, *, region: str, access: Access = OWN) -> None:
    """Set the reserved concurrency, or take the reservation away (None). 0 makes AWS refuse every new call.

    Raises:
        AwsError: AWS refused, or cannot be reached.
    """
    client = management_client("lambda", region, access)
    if reserved is None:
        client.delete_function_concurrency(FunctionName=name)
    else:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)


def switch_event_source(uuid: str, *, enabled: bool, region: str, access: Access = OWN) -> None:
    """Switch one event source mapping on or off; it keeps its place in the stream or queue.

    Raises:
        AwsNotFound: there is no such mapping any more.
        AwsError: AWS refused, or cannot be reached.
    """
    management_client("lambda", region, access).update_event_source_mapping(UUID=uuid, Enabled=enabled)


def list_layers(*, region: str, access: Access = OWN) -> Iterator[dict[str, Any]]:
    """The account's own layers with their newest versions, 50 a page. Sizes are not in it."""
    yield from _pages(management_client("lambda", region, access).list_layers, "Layers", MaxItems=50)


def list_layer_versions(name: str, *, region: str, access: Access = OWN) -> Iterator[dict[str, Any]]:
    """All versions of a layer that AWS still has, the newest first, 50 a page. Sizes are not in it."""
    client = management_client("lambda", region, access)
    yield from _pages(client.list_layer_versions, "LayerVersions", LayerName=name, MaxItems=50)


def get_layer_version(arn: str, *, region: str, access: Access = OWN) -> dict[str, Any]:
    """One version with its size, also of another account where that lets everybody use it.

    Raises:
        AwsNotFound: there is none, or it was deleted.
        AwsRejected: the account that owns it does not let us.
    """
    client = management_client("lambda", region, access)
    answer: dict[str, Any] = client.get_layer_version_by_arn(Arn=arn)
    return answer


def publish_layer(name: str, *, region: str, code_zip: bytes, **said: Any) -> str:
    """One more version of a layer; its ARN."""
    client = management_client("lambda", region)
    return str(client.publish_layer_version(LayerName=name, Content={"ZipFile": code_zip}, **said)["LayerVersionArn"])
