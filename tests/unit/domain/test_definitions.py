"""What a pipeline declares, and the check of a start against it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.definitions import Declared, Definition, check
from pipeline_triggers.domain.parameters import Resolved
from pipeline_triggers.errors import InvalidInputError

if TYPE_CHECKING:
    from pipeline_triggers.domain.constraints import ParameterType


def definition(*parameters: dict[str, Any], **others: Any) -> Definition:
    return Definition.parse(
        json.dumps({"Version": "2020-12-01", "Parameters": list(parameters), "Steps": [], **others})
    )


def test_declared_parameters_are_read_with_type_default_and_enum() -> None:
    read = definition(
        {"Name": "Rows", "Type": "Integer", "DefaultValue": 1000},
        {"Name": "Mode", "Type": "String", "EnumValues": ["full", "delta"], "Description": "which"},
        {"Name": "Rate", "Type": "Float"},
        {"Name": "Dry", "Type": "Boolean", "DefaultValue": False},
    )
    assert read.parameters == {
        "Rows": Declared("Integer", required=False, default=1000),
        "Mode": Declared("String", required=True, enum=("full", "delta")),
        "Rate": Declared("Float", required=True),
        "Dry": Declared("Boolean", required=False, default=False),
    }


def test_the_type_is_string_when_it_is_not_said() -> None:
    assert definition({"Name": "A"}).parameters["A"].type == "String"


@pytest.mark.parametrize("default", [0, False, "", 0.0])
def test_a_default_that_is_false_is_still_a_default(default: object) -> None:
    assert not definition({"Name": "A", "DefaultValue": default}).parameters["A"].required


def test_keys_and_types_that_are_not_known_yet_are_tolerated() -> None:
    read = definition({"Name": "A", "Type": "List", "New": {}}, NewSection=[1])
    assert read.parameters["A"].type == "String"
    assert check([Resolved("A", "static", "[1]", value="[1]")], read) == []


def test_a_definition_that_was_written_is_read_as_the_same() -> None:
    read = definition(
        {"Name": "Rows", "Type": "Integer", "DefaultValue": 0},
        {"Name": "Mode", "EnumValues": ["full", "delta"]},
        {"Name": "Dry", "Type": "Boolean", "DefaultValue": None},
    )
    assert Definition.parse(read.to_json()) == read


@pytest.mark.parametrize("text", ["{}", '{"Parameters": []}', '{"Parameters": null}', '{"Steps": []}'])
def test_a_pipeline_may_have_no_parameters(text: str) -> None:
    assert Definition.parse(text).parameters == {}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "PipelineDefinition"),
        ("{", "PipelineDefinition"),
        ("[]", "PipelineDefinition"),
        ("null", "PipelineDefinition"),
        ("[" * 100_000, "PipelineDefinition"),
        ('{"Parameters": {"A": 1}}', "PipelineDefinition.Parameters"),
        ('{"Parameters": ["A"]}', "PipelineDefinition.Parameters[0]"),
        ('{"Parameters": [{"Name": "A"}, {"Type": "String"}]}', "PipelineDefinition.Parameters[1]"),
        ('{"Parameters": [{"Name": 5}]}', "PipelineDefinition.Parameters[0]"),
        ('{"Parameters": [{"Name": "A", "EnumValues": "x"}]}', "PipelineDefinition.Parameters[0].EnumValues"),
        ('{"Parameters": [{"Name": "A", "EnumValues": [null]}]}', "PipelineDefinition.Parameters[0].EnumValues"),
    ],
)
def test_a_malformed_definition_is_refused_with_its_field(text: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Definition.parse(text)
    assert [problem.field for problem in caught.value.problems] == [field]


def refusals(value: str, declared: Declared) -> list[str]:
    sent = Resolved("P", "dynamic", "$.detail.p", raw=value, value=value)
    return [refusal.reason for refusal in check([sent], Definition({"P": declared}))]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("String", ""),
        ("String", "any\nthing"),
        ("Integer", "0"),
        ("Integer", "-12"),
        ("Integer", "+12"),
        ("Integer", "007"),
        ("Float", "1"),
        ("Float", "-0.5"),
        ("Float", ".5"),
        ("Float", "5."),
        ("Float", "1e-07"),
        ("Boolean", "true"),
        ("Boolean", "False"),
        ("Boolean", "TRUE"),
    ],
)
def test_a_value_of_the_declared_type_passes(kind: ParameterType, value: str) -> None:
    assert refusals(value, Declared(kind)) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Integer", "1.0"),
        ("Integer", "1e3"),
        ("Integer", " 1"),
        ("Integer", "1_000"),
        ("Integer", "१२"),
        ("Integer", "many"),
        ("Integer", "1\n"),
        ("Float", "1,5"),
        ("Float", "."),
        ("Float", "nan"),
        ("Boolean", "1"),
        ("Boolean", "yes"),
        ("Boolean", "true "),
    ],
)
def test_a_value_of_another_type_is_refused(kind: ParameterType, value: str) -> None:
    assert refusals(value, Declared(kind)) == ["wrong-type"]


def test_a_value_outside_the_enum_is_refused() -> None:
    declared = Declared(enum=("full", "delta"))
    assert refusals("full", declared) == []
    assert refusals("Full", declared) == ["not-in-enum"]


def test_an_unknown_name_is_refused_with_the_one_that_was_meant() -> None:
    sent = Resolved("InputURI", "static", "x", value="x")
    refusal = check([sent], Definition({"InputUri": Declared(required=False)}))[0]
    assert (refusal.parameter, refusal.reason) == ("InputURI", "unknown-parameter")
    assert refusal.message == "parameter InputURI: the pipeline does not declare it. Did you mean InputUri?"


def test_a_required_parameter_that_is_not_sent_is_refused() -> None:
    wanted = Definition({"A": Declared(), "B": Declared(required=False)})
    assert [(r.parameter, r.reason) for r in check([], wanted)] == [("A", "required-parameter")]


def test_a_required_parameter_that_was_left_out_is_refused() -> None:
    left_out = Resolved("A", "dynamic", "$.a")
    assert [r.reason for r in check([left_out], Definition({"A": Declared()}))] == ["required-parameter"]


def test_a_required_parameter_that_was_left_out_is_told_with_its_path() -> None:
    message = "left out: $.a finds nothing, or null, in the event"
    refusal = check([Resolved("A", "dynamic", "$.a", message=message)], Definition({"A": Declared()}))[0]
    assert refusal.message == (
        "parameter A: it is left out: $.a finds nothing, or null, in the event, and the pipeline declares no default "
        "for it. Give it a default in the target or in the pipeline, or correct the path"
    )


def test_a_default_that_is_refused_is_told_as_that() -> None:
    sent = Resolved("Rows", "default", "$.detail.rows", value="many")
    refusal = check([sent], Definition({"Rows": Declared("Integer")}))[0]
    assert "'many' (the default of '$.detail.rows') is no Integer" in refusal.message


def test_what_was_refused_before_is_not_judged_again() -> None:
    refused = Resolved("A", "dynamic", "$.a", reason="missing-parameter", message="…")
    assert check([refused], Definition({"A": Declared("Integer")})) == []
    assert check([refused], Definition({})) == []


def test_the_message_names_parameter_value_path_and_what_to_do() -> None:
    sent = Resolved("Rows", "dynamic", "$.detail.rows", raw="many", value="many")
    refusal = check([sent], Definition({"Rows": Declared("Integer")}))[0]
    assert refusal.message == (
        "parameter Rows: 'many' (from '$.detail.rows') is no Integer; the pipeline declares Integer, such as 42. "
        "Send such a value, or change the declaration"
    )


def test_refusals_follow_the_order_of_the_parameters_and_then_of_the_declarations() -> None:
    sent = [Resolved(name, "static", "x", value="x") for name in ("Z", "B")]
    wanted = Definition({"D": Declared(), "B": Declared("Integer"), "C": Declared()})
    assert [r.parameter for r in check(sent, wanted)] == ["Z", "B", "D", "C"]
