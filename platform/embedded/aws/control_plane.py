"""Lambda's control plane: moto does the work; this corrects its requests and answers where AWS's differ.

One method per operation that needs it; every other Lambda call goes to moto as it is.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from embedded.aws.calls import Call
from embedded.aws.code_store import UNZIPPED_LIMIT, CodeStore
from embedded.aws.errors import ApiError, invalid
from embedded.aws.functions import parse_name
from embedded.aws.options import ACCOUNT
from embedded.aws.overlay import CODE_SIZE, GET_ONLY, LayerContent, Overlay, split_local_tags
from embedded.aws.upstream import Answer, Upstream

PAGE = 50  # functions per page of ListFunctions
_EVENT_RULES = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # AWS Lambda API reference, CreateFunction, 2026-11-24
_ROLE = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role(/.*)?/([^/]+)")
Changed = Callable[[str, str, bool], None]
"""Called with region, name and whether warm environments must go."""


class ControlPlane:
    """``handle`` answers one call; ``changed`` hears of every call that altered a function."""

    def __init__(
        self,
        upstream: Upstream,
        code: CodeStore,
        overlay: Overlay,
        account_limit: int,
        changed: Changed,
        endpoint: str = "",
    ) -> None:
        self._endpoint = endpoint
        self._upstream = upstream
        self._code = code
        self._overlay = overlay
        self._account_limit = account_limit
        self._changed = changed
        self._roles: set[str] = set()
        name = r"/functions/(?P<name>[^/]+)"
        routes: list[tuple[str, str, Callable[[Call, str], Answer]]] = [
            ("POST", r"/functions/?", self._create),
            ("GET", r"/functions/?", self._list),
            ("GET", name, self._get),
            ("DELETE", name, self._delete),
            ("GET", name + "/configuration", self._configuration),
            ("PUT", name + "/configuration", self._update_configuration),
            ("PUT", name + "/code", self._update_code),
            ("GET", name + "/versions", self._versions),
            ("POST", name + "/versions", self._publish),
            ("(PUT|DELETE|GET)", name + "/concurrency", self._concurrency),
            ("(PUT|POST)", name + "/event-invoke-config", self._event_rules),
            ("(POST|PUT|DELETE)", name + "/aliases.*", self._alias),
            ("(POST|DELETE)", r"/tags/(?P<name>.+)", self._tag),
            ("POST", r"/layers/(?P<name>[^/]+)/versions", self._publish_layer),
            ("GET", r"/layers.*", self._layers),
            ("GET", r"/account-settings/?", self._account),
        ]
        self._routes = [
            (re.compile(f"{method} /[0-9-]{{10}}{path}/?"), operation) for method, path, operation in routes
        ]

    def handle(self, call: Call) -> Answer:
        """Answer a Lambda control-plane call; ApiError for what AWS would refuse and moto would not."""
        line = f"{call.method} {urlsplit(call.path).path}"
        for pattern, operation in self._routes:
            if match := pattern.fullmatch(line):
                return operation(call, unquote(match.groupdict().get("name") or ""))
        return self.forward(call)

    def forward(self, call: Call, **body: Any) -> Answer:
        """Send a call to moto, with other JSON members if given."""
        content = json.dumps(body).encode() if body else call.body
        return self._upstream.request(call.method, call.path, service="lambda", region=call.region, body=content)

    # -- functions -----------------------------------------------------------------------------------------------------

    def _create(self, call: Call, _: str) -> Answer:
        body = call.json()
        tags, local = split_local_tags(body.get("Tags") or {})
        name = str(body.get("FunctionName", "")).rsplit(":", 1)[-1]
        if not _FUNCTION_NAME.fullmatch(name):
            raise invalid("FunctionName must be 1 to 64 letters without accents, digits, hyphens or underscores.")
        _check_limits(body)
        self._ensure_role(call.region, str(body.get("Role", "")))
        self._keep_zip(body.get("Code") or {})
        answer = self.forward(call, **{**body, "FunctionName": name, "Tags": tags})
        if answer.status != 201:
            return answer
        self._fetch_code(call.region, body.get("Code") or {})
        self._overlay.create(call.region, name, body, local)
        if body.get("Publish"):
            self._overlay.publish(call.region, name, str(answer.json().get("Version")))
        self._changed(call.region, name, True)
        return self._decorated(call, answer)

    def _list(self, call: Call, _: str) -> Answer:
        query = parse_qs(urlsplit(call.path).query)
        everything = "?FunctionVersion=ALL" if query.get("FunctionVersion") == ["ALL"] else ""
        answer = self.forward(Call("GET", f"/2015-03-31/functions/{everything}", call.region))
        if answer.status != 200:
            return answer
        functions = sorted(answer.json()["Functions"], key=lambda one: (one["FunctionName"], one["FunctionArn"]))
        try:
            start = int(base64.b64decode(query["Marker"][0])) if "Marker" in query else 0
            size = min(PAGE, int(query.get("MaxItems", [str(PAGE)])[0]))
        except ValueError:
            raise invalid("Marker must be a NextMarker of an earlier answer and MaxItems a number.") from None
        page = [self._overlay.configuration(call.region, one) for one in functions[start : start + size]]
        shown = [{key: value for key, value in one.items() if key not in GET_ONLY} for one in page]
        result: dict[str, Any] = {"Functions": shown}
        if start + size < len(functions):
            result["NextMarker"] = base64.b64encode(str(start + size).encode()).decode()
        return _json_answer(result)

    def _get(self, call: Call, text: str) -> Answer:
        answer = self.forward(call)
        if answer.status != 200:
            return answer
        found = answer.json()
        self._locate(found.get("Code"), str(found["Configuration"].get("CodeSha256", "")))
        found["Configuration"] = self._overlay.configuration(call.region, found["Configuration"])
        found.pop("Concurrency", None)
        reserved = self._overlay.function(call.region, parse_name(text).name).reserved
        if reserved is not None:
            found["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
        return _json_answer(found)

    def _delete(self, call: Call, text: str) -> Answer:
        answer = self.forward(call)
        if answer.status == 204:
            name = parse_name(text)
            if not name.qualifier and "Qualifier=" not in call.path:
                self._overlay.forget(call.region, name.name)
            self._changed(call.region, name.name, True)
        return answer

    def _configuration(self, call: Call, _: str) -> Answer:
        return self._decorated(call, self.forward(call))

    def _update_configuration(self, call: Call, text: str) -> Answer:
        name, body = parse_name(text).name, call.json()
        _check_limits(body)
        self._check_revision(call.region, name, body)
        if "Role" in body:
            self._ensure_role(call.region, str(body["Role"]))
        answer = self.forward(call, **body)
        if answer.status == 200:
            self._overlay.update(call.region, name, body)
            self._changed(call.region, name, True)
        return self._decorated(call, answer)

    def _update_code(self, call: Call, text: str) -> Answer:
        name, body = parse_name(text).name, call.json()
        self._check_revision(call.region, name, body)
        self._keep_zip(body)
        answer = self.forward(call)
        if answer.status == 200 and not body.get("DryRun"):
            self._fetch_code(call.region, body)
            self._overlay.update(call.region, name, body, new_code=True)
            if body.get("Publish"):
                self._overlay.publish(call.region, name, str(answer.json().get("Version")))
            self._changed(call.region, name, True)
        return self._decorated(call, answer)

    def _versions(self, call: Call, _: str) -> Answer:
        answer = self.forward(call)
        if answer.status != 200:
            return answer
        versions = [self._overlay.configuration(call.region, one) for one in answer.json().get("Versions", [])]
        return _json_answer({"Versions": versions})

    def _publish(self, call: Call, text: str) -> Answer:
        answer = self.forward(call)
        if answer.status == 201:
            self._overlay.publish(call.region, parse_name(text).name, str(answer.json().get("Version")))
        return self._decorated(call, answer)

    def _concurrency(self, call: Call, text: str) -> Answer:
        answer = self.forward(call)
        if call.method == "GET":
            return (
                _json_answer({k: v for k, v in answer.json().items() if v is not None})
                if answer.status == 200
                else answer
            )
        if answer.status in (200, 204):
            name = parse_name(text).name
            reserved = call.json().get("ReservedConcurrentExecutions") if call.method == "PUT" else None
            self._overlay.reserve(call.region, name, reserved)
            self._changed(call.region, name, False)
        return answer

    def _event_rules(self, call: Call, text: str) -> Answer:
        """Put replaces, update merges; moto appends and then answers the oldest."""
        body = call.json()
        if call.method == "POST":
            found = self.forward(Call("GET", call.path, call.region))
            if found.status != 200:
                return found
            body = {key: value for key, value in found.json().items() if key in _EVENT_RULES} | body
        self.forward(Call("DELETE", call.path, call.region))
        answer = self.forward(Call("PUT", call.path, call.region, body=json.dumps(body).encode()))
        self._changed(call.region, parse_name(text).name, False)
        return answer

    def _alias(self, call: Call, text: str) -> Answer:
        answer = self.forward(call)
        self._changed(call.region, parse_name(text).name, False)
        return answer

    def _tag(self, call: Call, text: str) -> Answer:
        if call.method == "DELETE":
            return self.forward(call)
        tags, local = split_local_tags(call.json().get("Tags") or {})
        if local:
            self._overlay.mark(call.region, parse_name(text).name, local)
        return self.forward(call, Tags=tags)

    # -- layers, account -----------------------------------------------------------------------------------------------

    def _publish_layer(self, call: Call, _: str) -> Answer:
        body = call.json()
        licence = str(body.get("LicenseInfo") or "")
        size: int | None = None
        if licence.startswith(f"{CODE_SIZE}="):
            size = int(licence.removeprefix(f"{CODE_SIZE}=")) if licence[len(CODE_SIZE) + 1 :].isdigit() else None
            body.pop("LicenseInfo")
        self._keep_zip(body.get("Content") or {})
        answer = self.forward(call, **body)
        if answer.status != 201:
            return answer
        self._fetch_code(call.region, body.get("Content") or {})
        version = answer.json()
        content = LayerContent(str(version["Content"]["CodeSha256"]), size)
        self._overlay.add_layer(str(version["LayerVersionArn"]), content)
        return _json_answer(self._overlay.layer_version(version), 201)

    def _layers(self, call: Call, _: str) -> Answer:
        """Every reading layer call: states the sizes; answers GetLayerVersionByArn, which moto does not know."""
        query = parse_qs(urlsplit(call.path).query)
        if query.get("find") == ["LayerVersion"]:
            parts = query.get("Arn", [""])[0].split(":")
            if len(parts) != 8:
                raise invalid("Arn must be the ARN of a layer version.")
            call = Call("GET", f"/2018-10-31/layers/{parts[6]}/versions/{parts[7]}", call.region)
        answer = self.forward(call)
        if answer.status != 200:
            return answer
        found = self._overlay.layer_version(answer.json())
        self._locate(found.get("Content"), str(found.get("Content", {}).get("CodeSha256", "")))
        for layer in found.get("Layers", []):
            layer["LatestMatchingVersion"] = self._overlay.layer_version(layer["LatestMatchingVersion"])
        found |= {"LayerVersions": [self._overlay.layer_version(one) for one in found.get("LayerVersions", [])]}
        return _json_answer(found)

    def _account(self, call: Call, _: str) -> Answer:
        listed = self.forward(Call("GET", "/2015-03-31/functions/", call.region)).json().get("Functions", [])
        configurations = [self._overlay.configuration(call.region, one) for one in listed]
        reserved = sum(self._overlay.function(call.region, one["FunctionName"]).reserved or 0 for one in configurations)
        limit = {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": UNZIPPED_LIMIT,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": self._account_limit,
            "UnreservedConcurrentExecutions": max(0, self._account_limit - reserved),
        }
        usage = {"TotalCodeSize": sum(one["CodeSize"] for one in configurations), "FunctionCount": len(configurations)}
        return _json_answer({"AccountLimit": limit, "AccountUsage": usage})

    def _locate(self, holder: dict[str, Any] | None, sha256: str) -> None:
        """Where the package can be fetched, in place of moto's address that leads nowhere."""
        name = self._code.name_of(sha256)
        if holder is not None and name:
            holder["Location"] = f"{self._endpoint}/_local/code/{name}"

    # -- shared --------------------------------------------------------------------------------------------------------

    def _decorated(self, call: Call, answer: Answer) -> Answer:
        if answer.status not in (200, 201):
            return answer
        return _json_answer(self._overlay.configuration(call.region, answer.json()), answer.status)

    def _check_revision(self, region: str, name: str, body: dict[str, Any]) -> None:
        wanted = body.get("RevisionId")
        if wanted and wanted != self._overlay.function(region, name).latest.revision_id:
            message = "The Revision Id provided does not match the latest Revision Id. Call GetFunction to retrieve it."
            raise ApiError(412, "PreconditionFailedException", message)

    def _keep_zip(self, code: dict[str, Any]) -> None:
        if "ZipFile" in code:
            try:
                self._code.keep(base64.b64decode(code["ZipFile"], validate=True))
            except (ValueError, TypeError):
                raise invalid("ZipFile must be base64.") from None

    def _fetch_code(self, region: str, code: dict[str, Any]) -> None:
        """Copy a package that was named by bucket and key out of moto's S3."""
        if "S3Bucket" in code and "S3Key" in code:
            answer = self._upstream.request("GET", f"/{code['S3Bucket']}/{code['S3Key']}", service="s3", region=region)
            if answer.status == 200:
                self._code.keep(answer.body)

    def _ensure_role(self, region: str, arn: str) -> None:
        """Moto wants the role to exist; nobody should have to create one to try a function."""
        match = _ROLE.fullmatch(arn)
        if not match or match[1] != ACCOUNT or arn in self._roles:
            return
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        members = {
            "Action": "CreateRole",
            "Version": "2010-05-08",
            "RoleName": match[3],
            "AssumeRolePolicyDocument": document,
        }
        self._upstream.query("iam", region, members | {"Path": f"{match[2] or ''}/"})
        self._roles.add(arn)


def _json_answer(members: dict[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(members).encode(), {"Content-Type": "application/json"})


def _check_limits(body: dict[str, Any]) -> None:
    """Quotas AWS enforces and moto does not (AWS Lambda quotas, 2026-11-23). Also completes members moto stumbles
    over.
    """
    if not 1 <= int(body.get("Timeout") or 3) <= 900:
        raise invalid("Timeout must be between 1 and 900 seconds.")
    if not 128 <= int(body.get("MemorySize") or 128) <= 10_240:
        raise invalid("MemorySize must be between 128 and 10240 MB.")
    if len(body.get("Layers") or []) > 5:
        raise invalid("A function can have at most 5 layers.")
    if body.get("Environment"):
        body["Environment"].setdefault("Variables", {})
        if len(json.dumps(body["Environment"]["Variables"]).encode()) > 4096:
            raise invalid(
                "Lambda was unable to configure your environment variables because they exceeded the 4 KB limit."
            )
    if body.get("VpcConfig"):
        network = {"SubnetIds": [], "SecurityGroupIds": [], **body["VpcConfig"]}
        body["VpcConfig"] = network | {"VpcId": "vpc-0a0b0c0d" if network["SubnetIds"] else ""}
