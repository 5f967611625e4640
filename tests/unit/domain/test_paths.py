"""JSONPath: what each part of the language selects, and what is refused with its position."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any

import pytest
from jsonpath_ng.ext.filter import Filter

from pipeline_triggers.domain.paths import JsonPath
from pipeline_triggers.errors import InvalidPathError, MalformedEventError

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT: dict[str, Any] = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {
        "object": {"key": "in/a.csv", "size": 12},
        "Tags": {"sagemaker:project-name": "churn", "a b": 1, "it's": 2, 'say "x"': 3, "a\\b": 4, "": 5, "*": 6},
        "nothing": None,
        "items": [{"n": 1, "k": "a"}, {"n": 2.5, "k": "b", "ok": True}, {"n": "3"}, "text", [10, 20], None],
        "größe": 7,
        "日本": {"where": 8, "null": 9, "true": 10},
        "a/b": 11,
        "x1_y": 12,
    },
}
ITEMS: list[Any] = EVENT["detail"]["items"]
TAGS: dict[str, Any] = EVENT["detail"]["Tags"]

SINGLE: list[tuple[str, list[Any]]] = [
    ("$", [EVENT]),
    ("$.source", ["aws.s3"]),
    ("$.detail-type", ["Object Created"]),
    ("$['detail-type']", ["Object Created"]),
    ("$.detail.object.key", ["in/a.csv"]),
    ('$["detail"]["object"]["key"]', ["in/a.csv"]),
    ("$.detail['object'].key", ["in/a.csv"]),
    ("$[ 'detail' ][\t'object'\n]", [EVENT["detail"]["object"]]),
    ("$ .detail ['object'] .key", ["in/a.csv"]),
    ("$.detail.nothing", [None]),
    ("$.detail.nothing.below", []),
    ("$.detail.missing", []),
    ("$.detail.object.key.below", []),
    ("$.source[0]", []),
    ("$.source['0']", []),
    ("$.detail.größe", [7]),
    ("$.detail.日本.where", [8]),
    ("$.detail.日本.null", [9]),
    ("$.detail.日本.true", [10]),
    ("$.detail.a/b", [11]),
    ("$.detail.x1_y", [12]),
    ("$.detail.Tags['sagemaker:project-name']", ["churn"]),
    ("$.detail.Tags['a b']", [1]),
    ("$.detail.Tags['it\\'s']", [2]),
    ('$.detail.Tags["it\'s"]', [2]),
    ("$.detail.Tags['say \"x\"']", [3]),
    ('$.detail.Tags["say \\"x\\""]', [3]),
    ("$.detail.Tags['a\\\\b']", [4]),
    ("$.detail.Tags['']", [5]),
    ("$.detail.Tags['*']", [6]),
    ("$.detail['gr\\u00f6\\u00DFe']", [7]),
    ("$.detail['\\u65e5本']['\\u0077here']", [8]),
    ("$.detail['a\\/b']", [11]),
    ("$.detail.items[0].n", [1]),
    ("$.detail.items[-2][-1]", [20]),
    ("$.detail.items[5]", [None]),
    ("$.detail.items[-6].n", [1]),
    ("$.detail.items[6]", []),
    ("$.detail.items[-7]", []),
    ("$.detail.items['0']", []),
    ("$.detail.items.n", []),
    ("$.detail.items[3][0]", []),
    ("$.detail[0]", []),
    ("$.detail.items[9007199254740991]", []),
]

SEVERAL: list[tuple[str, list[Any]]] = [
    ("$.detail.object.*", ["in/a.csv", 12]),
    ("$.detail.object[*]", ["in/a.csv", 12]),
    ("$.detail.items[*].n", [1, 2.5, "3"]),
    ("$.detail.items.*.k", ["a", "b"]),
    ("$.source.*", []),
    ("$.detail.nothing[*]", []),
    ("$.detail.items[0,2].n", [1, "3"]),
    ("$.detail.items[2,0].n", ["3", 1]),
    ("$.detail.items[-6,-7,6].n", [1]),
    ("$.detail.items[0,0].n", [1, 1]),
    ("$.detail.object['size','key','none']", [12, "in/a.csv"]),
    ("$.detail.items[0, -2, 'x'][0]", [10]),
    ("$.detail.items[1:3].n", [2.5, "3"]),
    ("$.detail.items[:2].k", ["a", "b"]),
    ("$.detail.items[-2:]", ITEMS[-2:]),
    ("$.detail.items[::2]", ITEMS[::2]),
    ("$.detail.items[::-1]", ITEMS[::-1]),
    ("$.detail.items[4:0:-2]", ITEMS[4:0:-2]),
    ("$.detail.items[ 1 : 3 : 1 ].n", [2.5, "3"]),
    ("$.detail.items[::0]", []),
    ("$.detail.items[10:]", []),
    ("$.source[0:2]", []),
    ("$.detail.object[:]", []),
    ("$.detail.items[0:1, 0:1].n", [1, 1]),
    ("$.detail.items[?@.n].n", [1, 2.5, "3"]),
    ("$.detail.items[?(@.n)].n", [1, 2.5, "3"]),
    ("$.detail.items[?!@.k]", ITEMS[2:]),
    ("$.detail.items[?@.n == 1].k", ["a"]),
    ("$.detail.items[?@.n==1.0].k", ["a"]),
    ("$.detail.items[?1 == @['n']].k", ["a"]),
    ("$.detail.items[?@.n > 1].k", ["b"]),
    ("$.detail.items[?2 >= @.n].k", ["a"]),
    ("$.detail.items[?@.n <= 25e-1].k", ["a", "b"]),
    ("$.detail.items[?@.n == '3'].n", ["3"]),
    ("$.detail.items[?@.n != '3'].k", ["a", "b"]),
    ("$.detail.items[?@.n < '4'].n", ["3"]),
    ("$.detail.items[?@.ok == true].k", ["b"]),
    ("$.detail.items[?@.ok == 1]", []),
    ("$.detail.items[?@ == null]", [None]),
    ("$.detail.items[?@.n == null]", []),
    ("$.detail.items[?@.n != null].n", [1, 2.5, "3"]),
    ("$.detail.items[?@[0] == 10]", [[10, 20]]),
    ("$.detail.items[?@[-1] > 10]", [[10, 20]]),
    ("$.detail.items[?@ == 'text']", ["text"]),
    ("$.detail.items[?@.n == 1 || @.n == 2.5].k", ["a", "b"]),
    ("$.detail.items[?@.n && @.ok].k", ["b"]),
    ("$.detail.items[?@.k == 'a' || @.k == 'b' && @.ok == false].k", ["a"]),
    ("$.detail.items[?(@.k == 'a' || @.k == 'b') && @.ok].k", ["b"]),
    ("$.detail.items[?!(@.k == 'a' || @[0])].n", [2.5, "3"]),
    ("$.detail.items[?!(@.k && @.ok)].n", [1, "3"]),
    ("$.detail.items[?!(!@.k)].k", ["a", "b"]),
    ("$.detail.items[?@.n < $.detail.object.size].k", ["a", "b"]),
    ("$.detail.items[?$.source == 'aws.s3'].k", ["a", "b"]),
    ("$.detail.items[?$.none].k", []),
    ("$.detail.items[?@.none == $.none].k", ["a", "b"]),
    ("$.detail.items[?@.n == @['n']].n", [1, 2.5, "3"]),
    ("$.detail[?@.key == 'in/a.csv'].size", [12]),
    ("$.detail[?@['it\\'s'] == 2]['a b']", [1]),
    ("$.detail[?@['a\\\\b'] == 4]['a b']", [1]),
    ("$.detail[?@['*'] == 6]['a b']", [1]),
    ("$.detail[?@[''] == 5]['a b']", [1]),
    ("$.detail[?@.where == 8].null", [9]),
    ("$.detail[?@['null'] == 9].true", [10]),
    ("$.source[?@]", []),
    ("$.detail.items[?@]", ITEMS),
    ("$.detail.items[?@.*].k", ["a", "b"]),
    ("$.detail.items[?!@.*]", ["text", None]),
    ("$.detail.items[?@[0,'k']]", [*ITEMS[:2], ITEMS[4]]),
    ("$.detail.items[?@[1:]]", [ITEMS[4]]),
    ("$.detail.items[?@[?@ > 15]]", [ITEMS[4]]),
    ("$.detail.items[?@[?@ == $.detail.object.size]]", []),
    ("$.detail[?@[?@.ok]][0].k", ["a"]),
    ("$.detail.items[?!(@.n > 1)]", [ITEMS[0], *ITEMS[2:]]),
    ("$.detail.items[?!(@.n > 1) && @.n].n", [1, "3"]),
    ("$.detail.items[?!(@.k == 'a' || @.n < 3)]", ITEMS[2:]),
    ("$.detail.items[?!(@.n != 1)].k", ["a"]),
    ("$.detail.items[?!$.none].k", ["a", "b"]),
    ("$.detail.items[?@.k == 'a', 0].n", [1, 1]),
]


@pytest.mark.parametrize(("text", "expected"), SINGLE)
def test_a_path_that_names_one_place(text: str, expected: list[Any]) -> None:
    path = JsonPath(text)
    assert path.single
    assert path.find(EVENT) == expected


@pytest.mark.parametrize(("text", "expected"), SEVERAL)
def test_a_path_that_may_find_several(text: str, expected: list[Any]) -> None:
    path = JsonPath(text)
    assert not path.single
    assert json.dumps(path.find(EVENT)) == json.dumps(expected)


# What a filter compares, from RFC 9535, table 12 and the rules above it.
COMPARISONS: list[tuple[str, bool]] = [
    ("@.absent1 == @.absent2", True),
    ("@.absent1 <= @.absent2", True),
    ("@.absent == 'g'", False),
    ("@.absent1 != @.absent2", False),
    ("@.absent != 'g'", True),
    ("@.one <= @.two", True),
    ("@.one > @.two", False),
    ("@.text1 == @.text2", False),
    ("@.text1 < @.text2", True),
    ("@.obj == @.arr", False),
    ("@.obj != @.arr", True),
    ("@.obj == @.obj", True),
    ("@.obj != @.obj", False),
    ("@.arr == @.arr", True),
    ("@.arr == 17", False),
    ("@.arr != 17", True),
    ("@.obj <= @.arr", False),
    ("@.obj < @.arr", False),
    ("@.obj <= @.obj", True),
    ("@.arr <= @.arr", True),
    ("1 <= @.arr", False),
    ("1 >= @.arr", False),
    ("1 > @.arr", False),
    ("@.yes == true", True),
    ("@.yes == 1", False),
    ("@.yes <= true", True),
    ("@.yes < true", False),
    ("@.null == null", True),
    ("@.null <= null", True),
    ("@.null == false", False),
    ("@.absent == null", False),
    ("@.one == @.oneish", True),
    ("@.one == -1", False),
    ("@.zero == -0", True),
    ("@.big == 100000000000000000000", True),
    ("@.big == 1e20", True),
    ("@.small < 1E-9", True),
    ("@.huge == 1e23", True),
    ("@.huge == 100000000000000000000000", False),
    ("!(@.huge < 1e23)", True),
    ("!(@.absent < 1)", True),
    ("!(@.text1 < 1)", True),
    ("!(@.one < 2)", False),
    ("!(@.absent >= @.absent2)", False),
    ("@.yes >= false", False),
    ("@.null >= null", True),
    ("@.yes < @.two", False),
    ("!(@.yes < 2)", True),
    ("@.null < 1", False),
    ("@.text1 < 'a '", True),
    ("@.text1 < 'B'", False),
    ("'Z' < @.text1", True),
    ("@.quote < '\uffff'", True),
    ("@.arr[1].y == null", True),
    ("@.arr[2] == null", False),
    ("@.obj.x[0] == true", True),
    ("@.obj == @.twin", True),
    ("@.arr == @.almost", False),
    ("@.quote == 'it\\'s \"q\" \\\\ \\n\\ud83d\\ude00'", True),
    ('@.quote == "it\'s \\"q\\" \\\\ \\n😀"', True),
    ("@.empty == ''", True),
    ("@.empty", True),
    ("@.null", True),
    ("!@.null", False),
    ("@.absent", False),
    ("@.text1 == 'TRUE' || @.text1 == 'a'", True),
]


@pytest.mark.parametrize(("expression", "expected"), COMPARISONS)
def test_a_filter_compares_as_the_rfc_says(expression: str, expected: bool) -> None:
    node = {
        "one": 1, "oneish": 1.0, "two": 2, "zero": 0, "big": 10**20, "huge": 1e23, "small": 1e-10,
        "text1": "a", "text2": "b",
        "obj": {"x": [True]}, "arr": [1, {"y": None}], "yes": True, "null": None, "empty": "",
        "quote": "it's \"q\" \\ \n😀", "twin": {"x": [True]}, "almost": [True, {"y": None}],
    }  # fmt: skip
    assert JsonPath(f"$[?{expression}]").find([node]) == ([node] if expected else [])


def test_values_of_different_types_are_not_equal_inside_arrays_either() -> None:
    assert JsonPath("$[?@.a == @.b]").find([{"a": [1], "b": [True]}, {"a": {"x": 0}, "b": {"x": False}}]) == []


REFUSED: list[tuple[str, int]] = [
    ("", 0),
    ("source", 0),
    (" $.a", 0),
    ("@.a", 0),
    ("$a", 1),
    ("$.", 2),
    ("$.a.", 4),
    ("$.a ", 3),
    ("$. a", 2),
    ("$.1a", 2),
    ("$.-a", 2),
    ("$.a b", 4),
    ("$.a:b", 3),
    ("$.a\ud800", 3),
    ("$..a", 1),
    ("$.a..*", 3),
    ("$..[0]", 1),
    ("$[", 2),
    ("$[]", 2),
    ("$['a'", 5),
    ("$['a", 2),
    ("$[a]", 2),
    ("$[0", 3),
    ("$[0,]", 4),
    ("$[,0]", 2),
    ("$[00]", 2),
    ("$[01]", 2),
    ("$[-0]", 2),
    ("$[-01]", 2),
    ("$[+1]", 2),
    ("$[1.0]", 3),
    ("$[1e1]", 3),
    ("$[- 1]", 2),
    ("$[9007199254740992]", 2),
    ("$[-9007199254740992:]", 2),
    ("$[1:01]", 4),
    ("$[1:2:3:4]", 7),
    ("$[:::]", 4),
    ("$[1:a]", 4),
    ("$['a' 'b']", 6),
    ("$['a\\x']", 4),
    ("$['\\\"']", 3),
    ('$["\\\'"]', 3),
    ("$['\\u12']", 3),
    ("$['\\ud800']", 3),
    ("$['\\ud800\\u0041']", 3),
    ("$['\\udc00']", 3),
    ("$['\ud800']", 3),
    ("$['\n']", 3),
    ("$['\\']", 2),
    ("$[(@.length-1)]", 2),
    ("$.items.length()", 14),
    ("$.`len`", 2),
    ("$.a | $.b", 4),
    ("$[?]", 3),
    ("$[?@.a", 6),
    ("$[?@.a=='x]", 8),
    ("$[?@.a=1]", 6),
    ("$[?@.a=~'x']", 6),
    ("$[?@.a===1]", 8),
    ("$[?@.a==b]", 8),
    ("$[?@.a==01]", 8),
    ("$[?@.a==1.]", 9),
    ("$[?@.a==.5]", 8),
    ("$[?@.a==+1]", 8),
    ("$[?@.a==1e999]", 8),
    ("$[?@.a==TRUE]", 8),
    ("$[?@.a=={}]", 8),
    ("$[?@.a==[1]]", 8),
    ("$[?1==1]", 3),
    ("$[?true]", 3),
    ("$[?'x']", 3),
    ("$[?a]", 3),
    ("$[?@.* == 1]", 3),
    ("$[?@.a[0,1] == 1]", 3),
    ("$[?1 == @.a[0,1]]", 8),
    ("$[?@.a == $.*]", 10),
    ("$[?@.a[0:1] == 1]", 3),
    ("$[?@[?@.a] == 1]", 3),
    ("$[?@..a]", 4),
    ("$[?length(@.a) > 1]", 3),
    ("$[?@.a == count(@.b)]", 10),
    ("$[?!length(@.a)]", 4),
    ("$[?match(@.a, 'x')]", 3),
    ("$[?!@.a == 1]", 8),
    ("$[?!!@.a]", 4),
    ("$[?(@.a]", 7),
    ("$[?@.a)]", 6),
    ("$[?@.a &&]", 9),
    ("$[?@.a & @.b]", 7),
    ("$[?@.a and @.b]", 7),
    ("$[?@.a == 1 == 2]", 12),
    ("$[?" + "(" * 16 + "@.a" + ")" * 16 + "]", 18),
    ("$" + "[?@" * 17, 50),
    ("$" + ".a" * 33, 65),
    ("$" + "[0,0]" * 9, 0),
    ("$." + "a" * 255, 256),
]


@pytest.mark.parametrize(("text", "position"), REFUSED)
def test_what_is_not_accepted_is_refused_with_its_position(text: str, position: int) -> None:
    with pytest.raises(InvalidPathError) as caught:
        JsonPath(text)
    assert (caught.value.position, bool(caught.value.reason)) == (position, True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$..a", "'..' is not accepted"),
        ("$.a.length()", "functions are not accepted"),
        ("$[?length(@.a) > 1]", "functions are not accepted"),
        ("$[?@.a =~ 'x']", "regular expressions are not accepted"),
        ("$[(@.length-1)]", "script expressions are not accepted"),
        ("$[name]", "needs quotes"),
        ("$." + "a" * 255, "at most 256 characters"),
        ("$" + ".a" * 33, "at most 32 segments"),
    ],
)
def test_a_refusal_says_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidPathError, match=reason):
        JsonPath(text)


def test_the_longest_and_the_deepest_path_are_accepted() -> None:
    assert JsonPath("$." + "a" * 254).find({"a" * 254: 1}) == [1]
    assert JsonPath("$" + ".a" * 32).single
    assert JsonPath("$[?" + "(" * 15 + "@.a" + ")" * 15 + "]").find([{"a": 1}]) == [{"a": 1}]
    assert JsonPath("$" + "[?@" * 16 + "]" * 16).find([[[1]]]) == []
    assert JsonPath("$[?" + "||".join(["(@.a)"] * 30) + "]").find([{"a": 1}]) == [{"a": 1}]
    assert JsonPath("$" + "[0,0]" * 8).find(json.loads("[" * 8 + "]" * 8)) == []


def test_two_paths_are_equal_when_their_texts_are() -> None:
    assert JsonPath("$.a") == JsonPath("$.a")
    assert hash(JsonPath("$.a")) == hash(JsonPath("$.a"))
    assert JsonPath("$.a") != JsonPath("$['a']")
    assert JsonPath("$.a").text == "$.a"
    assert str(JsonPath("$.a")) == "$.a"
    assert repr(JsonPath("$.a")) == "JsonPath(text='$.a')"


def test_a_path_cannot_be_changed() -> None:
    path = JsonPath("$.a")
    with pytest.raises(FrozenInstanceError):
        path.text = "$.b"  # type: ignore[misc]


@pytest.mark.parametrize("document", [None, True, 0, 1.5, "text", [], {}, [[]], float("nan")])
@pytest.mark.parametrize("text", ["$.a.b", "$[0]", "$[-1].a", "$.*", "$[1:]", "$['a',0]", "$[?@.a == 1]", "$[?$.a]"])
def test_a_document_that_does_not_fit_gives_nothing(text: str, document: Any) -> None:
    assert JsonPath(text).find(document) in ([], [[]])


def test_the_values_found_are_the_document_s_own() -> None:
    document = {"a": {"b": [1]}}
    assert JsonPath("$.a.b").find(document)[0] is document["a"]["b"]
    assert JsonPath("$[?@.b]").find(document)[0] is document["a"]


def test_finding_does_not_change_the_document() -> None:
    before = json.dumps(EVENT)
    for text, _ in [*SINGLE, *SEVERAL]:
        JsonPath(text).find(EVENT)
    assert json.dumps(EVENT) == before


def test_jsonpath_ng_is_loaded_only_for_a_filter() -> None:
    program = (
        "import sys; from pipeline_triggers.domain.paths import JsonPath; "
        "JsonPath('$.a[0,1]').find({}); before = 'jsonpath_ng' in sys.modules; "
        "JsonPath('$[?@.a]'); print(before, 'jsonpath_ng' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={"PYTHONPATH": "layers/shared"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["False", "True"]


def test_a_deep_document_needs_no_deep_stack() -> None:
    nested: Any = 1
    for _ in range(50_000):
        nested = [nested]
    try:
        assert len(JsonPath("$[*][0][?@ == 1 || @[0]]").find(nested)) == 1
    finally:
        while isinstance(nested, list):
            nested = nested.pop()


# --- how much one path may look at

SMALL: list[Any] = [{"n": 1}] * 10
ANY_NUMBER: list[Any] = [1] * 200_000


@pytest.mark.parametrize(
    "text",
    [
        "$[*,*]",
        "$[:,::-1]",
        "$[?@ == 1]",
        "$[?@ == 1 && @ == 2 || @ == 3]",
        "$[?!(@ < 1)]",
        "$[?@ == $]",
        "$[?$[?@]]",
        "$[?$[*]]",
    ],
)
def test_a_path_that_would_look_at_too_many_places_is_refused(text: str) -> None:
    with pytest.raises(MalformedEventError, match="more than 300,000 places") as caught:
        JsonPath(text).find(ANY_NUMBER)
    assert caught.value.reason == "too-large"
    assert JsonPath(text).find(SMALL) is not None


@pytest.mark.parametrize("one", [[1] * 1000, {str(n): 1 for n in range(1000)}, "x" * 2_000_000, {"x" * 2_000_000: 1}])
@pytest.mark.parametrize("sign", ["==", "!=", "<="])
def test_comparing_what_is_large_again_and_again_is_refused(one: Any, sign: str) -> None:
    document = {"items": [0] * 1000, "one": one, "other": copy.deepcopy(one) if isinstance(one, list | dict) else one}
    assert len(JsonPath(f"$[?$.one {sign} $.other]").find(document)) in (0, 3)
    with pytest.raises(MalformedEventError, match="more than 300,000 places"):
        JsonPath(f"$.items[?$.one {sign} $.other]").find(document)


def test_arrays_of_an_ordinary_event_are_looked_at_whole() -> None:
    items = [{"n": n, "k": "x"} for n in range(13_000)]  # 256 KB as JSON
    path = JsonPath("$[?@.n >= 10 && @.k == 'x' && !(@.n > 11)].n")
    assert path.find(items) == [10, 11]
    assert JsonPath("$[?@.n >= 10 && @.k == 'x' && @.n <= 11].n").find(items) == [10, 11]
    assert len(JsonPath("$[*].n").find(items)) == 13_000


def test_a_path_to_one_place_has_no_such_limit() -> None:
    assert JsonPath("$[199999]").find(ANY_NUMBER) == [1]


def test_small_arrays_are_filtered_by_jsonpath_ng_and_large_ones_here(monkeypatch: pytest.MonkeyPatch) -> None:
    path = JsonPath("$[?@.n == 1]")
    asked: list[int] = []
    jsonpath_ng_s: Callable[[Filter, Any], Any] = Filter.find

    def noted(self: Filter, datum: Any) -> Any:
        asked.append(len(datum.value))
        return jsonpath_ng_s(self, datum)

    monkeypatch.setattr(Filter, "find", noted)
    assert path.find(SMALL) == SMALL
    assert len(path.find(SMALL * 1000)) == 10_000
    assert asked == [10]
    assert len(JsonPath("$[*][?@.n == 1]").find([SMALL] * 1000)) == 10_000
    assert 10 < sum(asked) < 5_000
