"""Webhooks reach tools, and never our own network: whatever the URL, the name behind it or the answer says."""

from __future__ import annotations

import ipaddress
import socket
import time
from typing import Any

import pytest

from core.webhooks import posting
from core.webhooks.addresses import BadAddressError, check, resolve, target_of
from core.webhooks.posting import post
from tests.core.receiver import receiving

HERE = ["127.0.0.0/8"]


@pytest.fixture(autouse=True)
def only_public(settings: Any) -> None:
    """The stack of the tests allows this machine."""
    settings.WEBHOOK_NETWORKS = []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://tool.example.com/", "bad_url"),
        ("file:///etc/passwd", "bad_url"),
        ("https://", "bad_url"),
        ("tool.example.com/hook", "bad_url"),
        ("https://user:word@tool.example.com/", "bad_url"),
        ("https://tool.example.com:99999/", "bad_url"),
        ("https://tool.example.com/a b", "bad_url"),
        ("https://tool.example.com/a\r\nX: y", "bad_url"),
        ("https://[::1", "bad_url"),
        ("http://127.0.0.1/", "address_not_allowed"),
        ("http://10.1.2.3:8080/", "address_not_allowed"),
        ("http://169.254.169.254/latest/meta-data/", "address_not_allowed"),
        ("http://[::1]/", "address_not_allowed"),
        ("http://[::ffff:192.168.0.1]/", "address_not_allowed"),
        ("http://0.0.0.0/", "address_not_allowed"),
    ],
)
def test_an_address_that_is_none_of_a_tool_is_refused(url: str, code: str) -> None:
    with pytest.raises(BadAddressError) as refused:
        target_of(url)
    assert refused.value.code == code


def test_a_good_address_is_taken_apart() -> None:
    target = target_of("https://Tool.Example.com/hooks/a?x=1")
    assert (target.tls, target.host_header, target.port, target.path) == (True, "tool.example.com", 443, "/hooks/a?x=1")
    assert target_of("http://münchen.example:8080").host_header == "xn--mnchen-3ya.example:8080"
    assert target_of("https://[2606:4700::1111]:8443/").host_header == "[2606:4700::1111]:8443"


@pytest.mark.parametrize(
    "text",
    ["172.16.0.1", "192.168.1.1", "100.64.0.1", "224.0.0.1", "255.255.255.255", "fe80::1", "fd00::1", "::",
     "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1"],
)  # fmt: skip
def test_no_way_of_writing_an_inner_address_is_public(text: str) -> None:
    with pytest.raises(BadAddressError):
        check(ipaddress.ip_address(text))
    check(ipaddress.ip_address("1.1.1.1"))


def test_a_name_that_leads_inside_is_refused_when_sending_and_own_networks_are_a_setting(settings: Any) -> None:
    assert target_of("http://localhost:1/").host == "localhost"  # names are looked up when something is sent
    with pytest.raises(BadAddressError):
        resolve(target_of("http://localhost:1/"))
    said = post("http://localhost:1/", b"{}", {})
    assert said.status is None and "not a public address" in said.error
    settings.WEBHOOK_NETWORKS = [*HERE, "::1/128"]
    assert ipaddress.ip_address(resolve(target_of("http://localhost:1/"))).is_loopback
    assert "refused" in post("http://127.0.0.1:1/", b"{}", {}).error.lower()
    with pytest.raises(BadAddressError, match="cannot be resolved"):
        resolve(target_of("http://no-such-name.invalid/"))


def test_the_address_that_was_checked_is_the_one_that_is_used(settings: Any, monkeypatch: Any) -> None:
    """A name may lead elsewhere a moment later: nothing asks for it twice."""
    settings.WEBHOOK_NETWORKS = HERE
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *args: Any, **kwargs: Any) -> Any:
        if host != "rebind.example":
            return real(host, *args, **kwargs)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "10.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "rebind.example")
        assert post(url, b'{"events": []}', {}).status == 204
        assert receiver.got[0].headers["host"].startswith("rebind.example:")
    assert asked == ["rebind.example"]


def test_redirects_are_not_followed_and_answers_not_read_for_ever(settings: Any, monkeypatch: Any) -> None:
    settings.WEBHOOK_NETWORKS = HERE
    with receiving() as receiver:
        receiver.answer = lambda got: (302, {"Location": receiver.url + "/secret"}, b"")
        said = post(receiver.url, b"{}", {})
        assert (said.taken, said.status, len(receiver.got)) == (False, 302, 1)
        assert "not followed" in said.error
        receiver.answer = lambda got: (200, {}, b"y\0" + b"x" * 5_000_000)
        said = post(receiver.url, b"{}", {})
        assert said.taken and len(said.excerpt) == posting.EXCERPT and "\0" not in said.excerpt
        receiver.answer = lambda got: (503, {"Retry-After": "120"}, b"later")
        assert post(receiver.url, b"{}", {}).retry_after_s == 120
        monkeypatch.setattr(posting, "TOTAL_S", 0.4)
        receiver.drip_s = 0.05
        begun = time.monotonic()
        post(receiver.url, b"{}", {})
        assert time.monotonic() - begun < 2
