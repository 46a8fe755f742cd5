"""An odd value in the environment is refused with the variable's name; secrets may come from files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (env.boolean, "maybe"),
        (env.boolean, "2"),
        (lambda name: env.integer(name, 5), "five"),
        (lambda name: env.integer(name, 5), "1.5"),
        (lambda name: env.integer(name, 5), "-1"),
        (lambda name: env.integer(name, 5, minimum=1, maximum=9), "10"),
        (env.mapping, "{"),
        (env.mapping, '["a"]'),
    ],
)
def test_an_odd_value_is_refused_by_name(
    reader: Callable[[str], object], value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD_ONE", value)
    with pytest.raises(ImproperlyConfigured, match="^ODD_ONE must "):
        reader("ODD_ONE")


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("Yes", True), (" on ", True), ("0", False), ("", False)])
def test_a_boolean_takes_the_usual_words(value: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAG", value)
    assert env.boolean("FLAG", default=not expected) is expected


def test_unset_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSET_ONE", raising=False)
    assert env.text("UNSET_ONE", "a") == "a"
    assert env.boolean("UNSET_ONE", True) is True
    assert env.integer("UNSET_ONE", 7) == 7
    assert env.items("UNSET_ONE", "a, ,b") == ["a", "b"]
    assert env.mapping("UNSET_ONE") == {}


def test_every_reader_takes_its_value_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in {"A": "secret\n", "B": "1\n", "C": " 42 \n", "D": "x,y\n", "E": '{"k": 1}\n'}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
        monkeypatch.setenv(name, "the file wins")
    assert env.text("A") == "secret"
    assert env.boolean("B") is True
    assert env.integer("C", 0) == 42
    assert env.items("D") == ["x", "y"]
    assert env.mapping("E") == {"k": 1}


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ImproperlyConfigured, match=r"^A_FILE names .*nowhere, which cannot be read: No such file"):
        env.text("A")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("A_FILE", str(tmp_path / "binary"))
    with pytest.raises(ImproperlyConfigured, match=r"^A_FILE names .*binary, which"):
        env.text("A")


def test_the_addresses_of_a_running_stack_are_taken_unless_a_database_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "stack.env"
    file.write_text("# made by the stack\nSTACK_ONE='a b'\nSTACK_TWO=plain\n", encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", "postgresql://a@b/c")
    assert env.load_stack_file(file) is False
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("STACK_TWO", "mine")
    monkeypatch.setenv("STACK_ONE", "")  # so that it is put back after the test
    monkeypatch.delenv("STACK_ONE")
    assert env.load_stack_file(file) is True
    assert (env.text("STACK_ONE"), env.text("STACK_TWO")) == ("a b", "mine")
    assert env.load_stack_file(tmp_path / "none.env") is False
