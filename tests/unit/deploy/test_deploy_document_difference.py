"""What differs between two documents, as people read it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xio_slurm.plan.document_difference import difference, same

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["Key", "Value", "Name", "PoolName", "a", "UserData", ""]), inner, max_size=4)
    ),
    max_leaves=20,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["Key", "Value", "Pools", "a", "Password"]), JSON, max_size=4)


def told(old: Any, new: Any) -> list[tuple[str, str | None, str | None]]:
    return [(change.path, change.old, change.new) for change in difference(old, new)]


def tag(key: str, value: str, **further: Any) -> dict[str, Any]:
    return {"Key": key, "Value": value, **further}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1, "b": {"c": "x"}}, {"a": 1, "b": {"c": "y"}}, [("b.c", '"x"', '"y"')]),
        ({"a": 1}, {"b": None}, [("b", None, "null"), ("a", "1", None)]),
        ({}, {"a": {"b": 1, "c": {}}}, [("a.b", None, "1"), ("a.c", None, "{}")]),
        ({"a": True}, {"a": 1}, [("a", "true", "1")]),
        ({"a": {"b": 1}}, {"a": {}}, [("a", '{"b": 1}', "{}")]),
        ({"a": [1, 2, 2]}, {"a": [2, 3]}, [("a[]", "[1, 2]", None), ("a[]", None, "[3]")]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("a", "[1, 2]", "[2, 1]")]),
        ({"a": [1]}, {"a": None}, [("a", "[1]", "null")]),
        (
            {"T": [tag("a", "1"), tag("a", "2")]},
            {"T": [tag("a", "2")]},
            [("T[]", '[{"Key": "a", "Value": "1"}]', None)],
        ),
        (
            {"T": [tag("Name", "x"), tag("old", "1")]},
            {"T": [tag("Name", "y"), tag("new", "2")]},
            [("T[Name]", '"x"', '"y"'), ("T[new]", None, '"2"'), ("T[old]", '"1"', None)],
        ),
        ({"T": [tag("a", "x", More=1)]}, {"T": [tag("a", "y", More=1)]}, [("T[a].Value", '"x"', '"y"')]),
        (
            {"T": [tag("a", "1"), tag("b", "2")]},
            {"T": [tag("b", "2"), tag("a", "1")]},
            [("T", '["a", "b"]', '["b", "a"]')],
        ),
        (
            {"Pools": [{"PoolName": "p", "VM": {"CPUs": 1}}]},
            {"Pools": [{"PoolName": "p", "VM": {"CPUs": 2}}, {"PoolName": "q", "VM": {"CPUs": 1}}]},
            [("Pools[p].VM.CPUs", "1", "2"), ("Pools[q]", None, '{"PoolName": "q", "VM": {"CPUs": 1}}')],
        ),
    ],
)
def test_a_difference_is_told_where_it_is(old: Any, new: Any, expected: Any) -> None:
    assert told(old, new) == expected


@pytest.mark.parametrize(
    "key",
    ["Password", "rootPassword", "VmRootPasswd", "SharedSecret", "ApiToken", "UserKeyPem", "SshKey", "AccessKeyId"[:9],
     "PrivateKey", "private", "UserData", "user_data", "Credentials", "Passphrase", "pem", "Authorization"],
)  # fmt: skip
def test_what_could_be_secret_is_never_shown(key: str) -> None:
    documents: tuple[tuple[Any, Any], ...] = (
        ({key: "hunter1"}, {key: "hunter2"}),
        ({}, {"a": {key: {"b": "hunter1"}}}),
        ({"a": [{key: "hunter1"}]}, {"a": [{key: ["hunter2"]}]}),
        ({"a": [{"PoolName": "p", "VM": {key: "hunter1"}}]}, {"a": []}),
        ({"T": [tag(key, "hunter1")]}, {"T": [tag(key, "hunter2")]}),
        ({"T": {"Value": 1}}, {"T": tag(key, "hunter1")}),
        ({"T": [tag(key, "hunter1", More=1)]}, {"T": [tag(key, "hunter2", More=1)]}),
    )
    for old, new in documents:
        text = str(told(old, new))
        assert "hunter" not in text
        assert "***" in text
        assert told(new, old)
        assert "hunter" not in str(told(new, old))


def test_a_key_in_a_text_is_not_shown_whatever_it_stands_under() -> None:
    assert told({}, {"a": "-----BEGIN RSA PRIVATE KEY-----\nx"}) == [("a", None, '"***"')]


@pytest.mark.parametrize("key", ["Key", "KeyName", "PrivateIpAddress", "PrivateDnsName", "MaxMemory", "Monkey"[:3]])
def test_what_is_no_secret_is_shown(key: str) -> None:
    assert told({key: "x"}, {key: "y"}) == [(key, '"x"', '"y"')]


def test_an_empty_secret_is_shown_as_what_it_is() -> None:
    assert told({}, {"UserData": ""}) == [("UserData", None, '""')]
    assert told({"UserData": ""}, {"UserData": "x"}) == [("UserData", '""', '"***"')]


def test_texts_are_short_and_of_one_printable_line() -> None:
    [(path, _, text)] = told({}, {"a\n": {"\x1b[2J": "\x1b[31m\ud800" + "x" * 1000}})
    assert path.isprintable()
    assert text is not None
    assert text.isprintable()
    assert len(text) <= 240


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # the machine may be busy
@given(DOCUMENTS, DOCUMENTS)
def test_there_is_a_difference_exactly_where_the_json_differs(old: Any, new: Any) -> None:
    assert (difference(old, new) == ()) == same(old, new)
    assert all(change.old is not None or change.new is not None for change in difference(old, new))
