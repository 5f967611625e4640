"""What a written value is: literal, JSONPath or template."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_triggers.domain.paths import JsonPath
from pipeline_triggers.domain.templates import MAX_TEMPLATE, Embedded, Literal, Template, parse_value
from pipeline_triggers.errors import InvalidPathError


@pytest.mark.parametrize("text", ["$", "$.detail.object.key", "$['detail']['a b']", "$[0]"])
def test_what_eventbridge_reads_as_a_path_is_a_path(text: str) -> None:
    assert parse_value(text) == JsonPath(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ml.m5.4xlarge",
        "$9.99",
        "$detail",
        "US$.x",
        "a <b> c",
        "<aws.scheduler.scheduled-time>",
        r"C:\<dir>",
        "${x}",
    ],
)
def test_anything_else_is_a_literal_as_it_is(text: str) -> None:
    assert parse_value(text) == Literal(text)


def test_a_template_is_literals_and_paths_in_their_order() -> None:
    text = "s3://<$.detail.bucket.name>/<$.detail.object.key>"
    parts = ("s3://", Embedded(JsonPath("$.detail.bucket.name")), "/", Embedded(JsonPath("$.detail.object.key")))
    assert parse_value(text) == Template(text, parts)


def test_paths_may_touch_each_other() -> None:
    text = "<$.a><$['b']>"
    assert parse_value(text) == Template(text, (Embedded(JsonPath("$.a")), Embedded(JsonPath("$['b']"))))


@pytest.mark.parametrize("path", ["$['a>b']", '$["a>b"]', "$.a[?(@.size > 3)].b", r"$['it\'s >']", "$.a[?@['x>'] > 1]"])
def test_brackets_and_quotes_in_a_path_may_hold_the_closing_sign(path: str) -> None:
    assert parse_value(f"x-<{path}>-y") == Template(f"x-<{path}>-y", ("x-", Embedded(JsonPath(path)), "-y"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (r"\<$.a> <$.b>", ("<$.a> ", Embedded(JsonPath("$.b")))),
        (r"a \< <$.b>", ("a < ", Embedded(JsonPath("$.b")))),
        (r"a < <$.b> > \n", ("a < ", Embedded(JsonPath("$.b")), r" > \n")),
        (r"\\<$.host>\share", ("\\", Embedded(JsonPath("$.host")), r"\share")),
        (r"\\\<$.a><$.b>", (r"\<$.a>", Embedded(JsonPath("$.b")))),
    ],
)
def test_in_a_template_a_backslash_makes_the_opening_sign_literal(text: str, parts: tuple[str | Embedded, ...]) -> None:
    assert parse_value(text) == Template(text, parts)


def test_a_template_without_paths_is_a_literal() -> None:
    assert parse_value(r"\<$.a>") == Literal("<$.a>")


@pytest.mark.parametrize(
    ("text", "position"),
    [("ab<$.c", 2), ("<$.a><$['b>", 5), ("<$.a[>", 0)],
)
def test_a_path_that_is_not_closed_is_refused_where_it_begins(text: str, position: int) -> None:
    with pytest.raises(InvalidPathError, match="not closed") as caught:
        parse_value(text)
    assert caught.value.position == position


def test_the_position_of_a_bad_path_counts_from_the_beginning_of_the_template() -> None:
    with pytest.raises(InvalidPathError) as alone:
        parse_value("$.a..b")
    with pytest.raises(InvalidPathError) as inside:
        parse_value("key=<$.a..b>")
    assert inside.value.position == alone.value.position + len("key=<")
    assert inside.value.reason == alone.value.reason


def test_a_template_has_a_length() -> None:
    with pytest.raises(InvalidPathError, match="4,096"):
        parse_value("<$.a>" + "x" * MAX_TEMPLATE)


@given(st.text(alphabet="<>$.[]'\"\\ab?@ 0", max_size=30))
def test_any_text_is_a_value_or_refused_with_a_position_inside_it(text: str) -> None:
    value, position = parsed(text)
    assert 0 <= position <= len(text)
    assert value is None or isinstance(value, Literal) or value.text == text


def parsed(text: str) -> tuple[Literal | JsonPath | Template | None, int]:
    try:
        return parse_value(text), 0
    except InvalidPathError as error:
        return None, error.position


def embedded(text: str) -> Embedded:
    value = parse_value(text)
    assert isinstance(value, Template)
    (part,) = value.parts
    assert isinstance(part, Embedded)
    return part


@pytest.mark.parametrize(
    ("text", "functions"),
    [
        ("<$.key | basename>", ("basename",)),
        ("<$.key|basename>", ("basename",)),
        ("<$.key | basename | lower>", ("basename", "lower")),
        ("<$.key  |stem|  upper >", ("stem", "upper")),
    ],
)
def test_functions_follow_the_path_behind_bars(text: str, functions: tuple[str, ...]) -> None:
    assert embedded(text) == Embedded(JsonPath("$.key"), functions)


def test_bars_inside_brackets_belong_to_the_path() -> None:
    path = "$.items[?@.a || @['|>'] > 1].key"
    assert embedded(f"<{path} | stem>") == Embedded(JsonPath(path), ("stem",))


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("<$.key | basname>", 9, "Did you mean basename"),
        ("ab<$.key | lower | trim>", 19, "The functions are basename, dirname"),
        ("<$.key | >", 9, "the name of a function is missing"),
        ("<$.key || lower>", 8, "the name of a function is missing"),
        ("<$.key | lower()>", 9, "Did you mean lower"),
        ("<$.key |>", 8, "is missing"),
    ],
)
def test_a_function_that_is_not_known_is_refused_where_it_stands(text: str, position: int, reason: str) -> None:
    with pytest.raises(InvalidPathError, match=reason) as caught:
        parse_value(text)
    assert caught.value.position == position


def test_a_function_outside_of_a_template_is_told_where_it_belongs() -> None:
    with pytest.raises(InvalidPathError, match=r"functions stand in a template: <\$\.key \| basename>") as caught:
        parse_value("$.key | basename")
    assert caught.value.position == len("$.key ")
