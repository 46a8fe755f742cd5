"""What a registry reads from Lambda's control plane is there and complete."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.test_local_aws import ROLE, LocalAws, aws, zipped

__all__ = ["aws"]
DUMMY = zipped("dummy", "readme.txt")


def test_list_functions_comes_in_pages_of_fifty(aws: LocalAws) -> None:
    prefix = f"fleet-{uuid.uuid4().hex[:6]}"
    names = {aws.create(f"{prefix}-{number:03d}", Code={"ZipFile": DUMMY}) for number in range(110)}
    pages = list(aws.functions.get_paginator("list_functions").paginate())
    assert {len(page["Functions"]) for page in pages[:-1]} == {50}
    listed = [one["FunctionName"] for page in pages for one in page["Functions"]]
    assert names <= set(listed) and len(listed) == len(set(listed))
    assert len(aws.functions.list_functions(MaxItems=7)["Functions"]) == 7
    shown = pages[0]["Functions"][0]
    assert "State" not in shown and "LastUpdateStatus" not in shown and shown["RevisionId"]


def test_get_function_tells_everything_that_was_configured(aws: LocalAws) -> None:
    _, queue_arn = aws.queue()
    name = aws.create(
        DeadLetterConfig={"TargetArn": queue_arn},
        EphemeralStorage={"Size": 2048},
        Architectures=["arm64"],
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "/custom/group"},
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        TracingConfig={"Mode": "Active"},
        Tags={"team": "returns"},
    )
    found = aws.functions.get_function(FunctionName=name)
    config = found["Configuration"]
    assert (config["State"], config["LastUpdateStatus"]) == ("Active", "Successful")
    assert config["DeadLetterConfig"] == {"TargetArn": queue_arn}
    assert (config["EphemeralStorage"], config["Architectures"]) == ({"Size": 2048}, ["arm64"])
    assert config["LoggingConfig"]["LogGroup"] == "/custom/group"
    assert (config["VpcConfig"]["SubnetIds"], config["TracingConfig"]) == (["subnet-1"], {"Mode": "Active"})
    assert config["VpcConfig"]["VpcId"].startswith("vpc-"), "as AWS says of the subnets"
    assert found["Tags"] == {"team": "returns"} and "Concurrency" not in found
    assert aws.functions.list_tags(Resource=config["FunctionArn"])["Tags"] == {"team": "returns"}


def test_updates_change_revision_and_date_and_a_stale_revision_is_refused(aws: LocalAws) -> None:
    name = aws.create()
    before = aws.functions.get_function_configuration(FunctionName=name)
    change: dict[str, Any] = {"FunctionName": name, "EphemeralStorage": {"Size": 1024}}
    after = aws.functions.update_function_configuration(**change, RevisionId=before["RevisionId"])
    assert after["EphemeralStorage"] == {"Size": 1024} and after["RevisionId"] != before["RevisionId"]
    assert after["LastModified"] > before["LastModified"]
    with pytest.raises(ClientError, match="PreconditionFailedException"):
        aws.functions.update_function_configuration(**change, RevisionId=before["RevisionId"])


def test_concurrency_zero_is_told_apart_from_none(aws: LocalAws) -> None:
    name = aws.create()
    assert "ReservedConcurrentExecutions" not in aws.functions.get_function_concurrency(FunctionName=name)
    aws.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert aws.functions.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    assert aws.functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 0


def test_event_invoke_config_is_replaced_by_put_and_merged_by_update(aws: LocalAws) -> None:
    name = aws.create()
    aws.functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    aws.functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    aws.functions.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=90)
    found = aws.functions.get_function_event_invoke_config(FunctionName=name)
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (1, 90)


def test_sample_fleet_may_state_sizes_and_dates(aws: LocalAws) -> None:
    layer = aws.functions.publish_layer_version(
        LayerName=f"pdf-{uuid.uuid4().hex[:6]}", Content={"ZipFile": DUMMY}, LicenseInfo="local:code-size=48211004"
    )
    tags = {"team": "labels", "local:code-size": "31415926", "local:last-modified": "2025-05-30T03:51:24Z"}
    name = aws.create(Code={"ZipFile": DUMMY}, Tags=tags, Layers=[layer["LayerVersionArn"]])
    found = aws.functions.get_function(FunctionName=name)
    assert found["Configuration"]["CodeSize"] == 31_415_926
    assert found["Configuration"]["LastModified"] == "2025-05-30T03:51:24.000+0000"
    assert found["Configuration"]["Layers"][0]["CodeSize"] == layer["Content"]["CodeSize"] == 48_211_004
    assert found["Tags"] == {"team": "labels"}
    by_arn = aws.functions.get_layer_version_by_arn(Arn=layer["LayerVersionArn"])
    assert by_arn["Content"]["CodeSize"] == 48_211_004 and not by_arn.get("LicenseInfo")


def test_account_settings_count_functions_and_reservations(aws: LocalAws) -> None:
    name = aws.create()
    before = aws.functions.get_account_settings()
    aws.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    after = aws.functions.get_account_settings()
    assert after["AccountLimit"]["ConcurrentExecutions"] == 12 and after["AccountUsage"]["FunctionCount"] >= 1
    limit = "UnreservedConcurrentExecutions"
    assert after["AccountLimit"][limit] == max(0, before["AccountLimit"][limit] - 3)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip"),
        ({"Timeout": 901}, "Timeout must be between"),
        ({"Environment": {"Variables": {"BIG": "x" * 4200}}}, "4 KB"),
    ],
)
def test_what_aws_would_refuse_is_refused(aws: LocalAws, wish: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        aws.create(**wish)


def test_deleted_function_is_gone_and_its_name_starts_afresh(aws: LocalAws) -> None:
    name = aws.create(EphemeralStorage={"Size": 1024})
    aws.functions.delete_function(FunctionName=name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.invoke(name)
    aws.create(name, Role=ROLE)
    assert aws.functions.get_function_configuration(FunctionName=name)["EphemeralStorage"] == {"Size": 512}
