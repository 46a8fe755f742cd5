"""The environment of one running stack: secrets made once, addresses, and the file that other terminals read."""

import base64
import json
import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path

from embedded.errors import StackError
from embedded.folders import write_private
from embedded.ports import HOST

# Settings of the machine's owner that must not leak into the stack: it must never reach a real AWS account
# or mail server, and its own secrets and addresses are decided here.
_NOT_INHERITED = (
    "AWS_", "EMAIL_", "PUBLIC_URL", "DATABASE_URL", "VALKEY_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEY", "CARRIER_STANDIN",
)  # fmt: skip
_LOCAL_HOSTS = "localhost,127.0.0.1,[::1]"


def stack_secrets(file: Path) -> dict[str, str]:
    """SECRET_KEY and FIELD_ENCRYPTION_KEY (a Fernet key), made at the first start and kept.

    Raises:
        StackError: the file exists but is not what was written; data encrypted with its key would be lost.
    """
    if not file.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "FIELD_ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        write_private(file, json.dumps(made))
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return {name: str(kept[name]) for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEY")}
    except (ValueError, KeyError, TypeError):
        raise StackError(
            f"{file} is damaged. Put back a copy of it; without its key the stored carrier passwords cannot be read. "
            "To start afresh, move the whole data folder away."
        ) from None


def web_env(data: Path, port: int, *, sample: bool) -> dict[str, str]:
    """What settings need besides the servers' addresses."""
    return {
        "DASH_VAR": str(data),
        "DEBUG": "0",
        "ALLOWED_HOSTS": _LOCAL_HOSTS,
        "CSRF_TRUSTED_ORIGINS": f"http://localhost:{port},http://{HOST}:{port}",
        "SAMPLE_DATA": "1" if sample else "0",
        "PUBLIC_URL": f"http://localhost:{port}",
        "EMAIL_FOLDER": str(data / "mail"),
        "WEBHOOK_NETWORKS": "127.0.0.0/8,::1/128",  # tools on this machine
        **stack_secrets(data / "secrets.json"),
    }


def aws_env(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MANAGEMENT_RATE": "500",  # calls a second; the local AWS has no quota to spare
        "EXCHANGE_BUCKET": "shipment-platform-exchange",
    }


def child_env(root: Path, own: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: the machine's without what would leak in, plus ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    bypass = ",".join(filter(None, (kept.get("no_proxy") or kept.get("NO_PROXY"), "127.0.0.1,localhost")))
    return {
        **kept,
        "PYTHONPATH": f"{root / 'platform'}:{root}",
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "NO_PROXY": bypass,
        "no_proxy": bypass,
        **own,
    }


def write_stack_file(file: Path, env: Mapping[str, str]) -> None:
    """`KEY=value` lines with shell quoting, for `manage.py` in a second terminal."""
    write_private(file, "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(env.items())))
