"""The local AWS answers Invoke as AWS does."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.embedded.test_local_aws import HANDLER, LocalAws, aws, until, zipped

__all__ = ["aws"]
REPORT = re.compile(
    r"^REPORT RequestId: (?P<id>[0-9a-f-]{36})\tDuration: (?P<duration>\d+\.\d\d) ms"
    r"\tBilled Duration: (?P<billed>\d+) ms\tMemory Size: 256 MB\tMax Memory Used: (?P<used>\d+) MB\t"
    r"(Init Duration: (?P<init>\d+\.\d\d) ms\t)?(?P<status>.*)$",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def name(aws: LocalAws) -> str:
    return aws.create(Timeout=1, MemorySize=256, Environment={"Variables": {"WORD": "given"}})


def report(log: str) -> re.Match[str]:
    match = REPORT.search(log)
    assert match, log
    return match


@pytest.mark.slow
def test_cold_call_reports_init_and_bills_it(aws: LocalAws) -> None:
    fresh = aws.create(MemorySize=256)
    result = aws.invoke(fresh, {"say": "hi"})
    line = report(result.log)
    assert result.error is None and result.payload["say"] == "hi" and result.version == "$LATEST"
    assert line["id"] == result.request_id == result.payload["request_id"]
    assert line["billed"] == str(-(-round((float(line["duration"]) + float(line["init"])) * 100) // 100))
    assert 5 < int(line["used"]) < 256 and line["status"] == ""
    kinds = [line.split(" ")[0] for line in result.log.splitlines()]
    assert kinds == ["INIT_START", "loading", "START", "handling", "END", "REPORT"]


def test_warm_call_reuses_the_process_without_init(aws: LocalAws, name: str) -> None:
    first, second = aws.invoke(name), aws.invoke(name)
    assert second.payload["pid"] == first.payload["pid"] and second.payload["count"] == first.payload["count"] + 1
    assert report(second.log)["init"] is None and "INIT_START" not in second.log


def test_function_sees_its_variables_deadline_and_private_home(aws: LocalAws, name: str) -> None:
    payload = aws.invoke(name).payload
    assert payload["word"] == "given" and 0 < payload["left_ms"] <= 1000
    assert payload["home"].startswith(str(aws.data))
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", payload["stream"])


def test_exception_is_a_function_error_with_its_trace(aws: LocalAws, name: str) -> None:
    result = aws.invoke(name, {"raise": "no paper"})
    assert result.error == "Unhandled"
    assert (result.payload["errorType"], result.payload["errorMessage"]) == ("ValueError", "no paper")
    assert "raise ValueError" in "".join(result.payload["stackTrace"])
    assert "[ERROR] ValueError: no paper" in result.log and report(result.log)["status"] == ""


@pytest.mark.slow
def test_timeout_kills_the_environment_and_the_next_call_is_cold(aws: LocalAws, name: str) -> None:
    before = aws.invoke(name).payload["pid"]
    result = aws.invoke(name, {"sleep": 30})
    assert result.error == "Unhandled" and result.payload["errorType"] == "Sandbox.Timedout"
    assert 1.0 <= result.seconds < 2.0
    assert re.search(r"^\S+Z \S{36} Task timed out after 1\.00 seconds$", result.log, re.MULTILINE)
    assert (report(result.log)["duration"], report(result.log)["status"]) == ("1000.00", "Status: timeout")
    after = aws.invoke(name)
    assert after.payload["pid"] != before and "Init Duration" in after.log


def test_exit_of_the_process_is_an_exit_error(aws: LocalAws, name: str) -> None:
    result = aws.invoke(name, {"exit": 3})
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert result.payload["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert report(result.log)["status"] == "Status: error\tError Type: Runtime.ExitError"
    assert aws.invoke(name).error is None


@pytest.mark.parametrize(
    ("source", "path", "runtime"),
    [
        ("", "readme.txt", "python3.12"),
        ("import does_not_exist", "app.py", "python3.12"),
        ("exports.handler = 1", "app.js", "nodejs22.x"),
    ],
)
def test_function_without_importable_handler_fails_honestly(
    aws: LocalAws, source: str, path: str, runtime: str
) -> None:
    broken = aws.create(Code={"ZipFile": zipped(source, path)}, Runtime=runtime, MemorySize=256)
    result = aws.invoke(broken)
    assert result.error == "Unhandled" and result.payload["errorType"] == "Runtime.ImportModuleError"
    assert "Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError" in result.log
    assert report(result.log)["status"] == "Status: error\tError Type: Runtime.ImportModuleError"


@pytest.mark.slow
def test_slow_init_is_cut_and_repeated_inside_the_invocation(aws: LocalAws) -> None:
    slow = aws.create(Code={"ZipFile": zipped("import time\ntime.sleep(1.3)\ndef handler(e, c):\n    return 1")})
    result = aws.invoke(slow)
    assert result.payload == 1 and "Phase: init\tStatus: timeout" in result.log and "Init Duration: " in result.log
    found = re.search(r"\tDuration: (\d+)", result.log)
    assert found and int(found[1]) > 1200


def test_limits_of_request_and_response(aws: LocalAws, name: str) -> None:
    with pytest.raises(ClientError, match="RequestTooLargeException") as refused:
        aws.invoke(name, {"pad": "x" * 6_291_556})
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    with pytest.raises(ClientError, match="RequestTooLargeException"):
        aws.send(name, {"pad": "x" * 1_048_576})
    assert aws.invoke(name, {"pad": "x" * 6_000_000}).error is None
    too_big = aws.invoke(name, {"bytes": 6_291_556})
    assert (too_big.error, too_big.payload["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")
    assert len(aws.invoke(name, {"bytes": 6_000_000}).payload) == 6_000_000


def test_bad_json_and_unknown_functions_are_refused(aws: LocalAws, name: str) -> None:
    with pytest.raises(ClientError, match="InvalidRequestContentException"):
        aws.functions.invoke(FunctionName=name, Payload=b"{nonsense")
    with pytest.raises(ClientError, match="ResourceNotFoundException") as refused:
        aws.functions.invoke(FunctionName="nobody", InvocationType="DryRun")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert aws.functions.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    url = f"{aws.endpoint}/2015-03-31/functions/{name}/invocations"
    with pytest.raises(urllib.error.HTTPError) as unsigned:
        urllib.request.urlopen(url, data=b"[", timeout=5)  # noqa: S310 - our own server
    assert unsigned.value.code == 400 and "json" in json.load(unsigned.value)["message"]


def test_names_arns_versions_and_aliases_reach_the_same_function(aws: LocalAws, name: str) -> None:
    arn = aws.functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    version = aws.functions.publish_version(FunctionName=name)["Version"]
    aws.functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    for given in (name, arn, f"{name}:live", f"{arn}:{version}", f"123456789012:function:{name}"):
        assert aws.invoke(given).payload["word"] == "given"
    assert aws.invoke(name, Qualifier="live").version == version
    assert aws.invoke(f"{arn}:$LATEST").version == "$LATEST"


def test_new_configuration_and_code_retire_warm_environments(aws: LocalAws) -> None:
    changing = aws.create()
    first = aws.invoke(changing).payload
    aws.functions.update_function_configuration(FunctionName=changing, Environment={"Variables": {"WORD": "new"}})
    second = aws.invoke(changing).payload
    assert second["word"] == "new" and second["pid"] != first["pid"]
    aws.functions.update_function_code(FunctionName=changing, ZipFile=zipped("def handler(e, c):\n    return 2"))
    assert aws.invoke(changing).payload == 2
    pids = {one["pid"] for one in aws.door("state")["environments"] if one["function"] == changing}
    assert not pids & {first["pid"], second["pid"]}


@pytest.mark.slow
def test_function_reaches_this_aws_through_boto3(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="function-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="function-bucket", Key="code.zip", Body=zipped(HANDLER))
    writer = aws.create(Code={"S3Bucket": "function-bucket", "S3Key": "code.zip"}, Timeout=10)
    assert aws.invoke(writer, {"bucket": "function-bucket"}).error is None
    assert s3.get_object(Bucket="function-bucket", Key="from-function")["Body"].read() == b"hello"


def test_layers_are_on_the_import_path(aws: LocalAws) -> None:
    layer = aws.functions.publish_layer_version(
        LayerName="shared-helper", Content={"ZipFile": zipped("WORD = 'layered'", "python/shared_helper.py")}
    )
    source = "import shared_helper\ndef handler(e, c):\n    return shared_helper.WORD"
    layered = aws.create(Code={"ZipFile": zipped(source)}, Layers=[layer["LayerVersionArn"]])
    assert until(lambda: aws.invoke(layered).payload) == "layered"
