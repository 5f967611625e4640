"""The start request: names, token, display name, description."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_triggers.domain.executions import (
    MAX_DESCRIPTION,
    MAX_DISPLAY_NAME,
    Home,
    PipelineRef,
    Provenance,
    StartRequest,
    canonical,
    display_name_of,
    token_of,
)
from pipeline_triggers.errors import InvalidInputError

HOME = Home("aws", "123456789012", "us-east-1")
ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
DISPLAY_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,81}")
DESCRIPTION = re.compile(r".{0,3072}")


def test_a_name_is_completed_with_the_account_and_region_of_the_stack() -> None:
    assert PipelineRef.parse("churn-train").arn_in(HOME) == ARN


def test_an_arn_stays_as_it_is_written() -> None:
    foreign = "arn:aws-cn:sagemaker:cn-north-1:210987654321:pipeline/Churn"
    assert PipelineRef.parse(foreign).arn_in(HOME) == foreign


@pytest.mark.parametrize(
    "text",
    ["", "-x", "x-", "a_b", "a b", "x" * 257, "arn:aws:sagemaker:us-east-1:12:pipeline/x", "arn:aws:s3:::bucket", "é"],
)
def test_what_is_neither_name_nor_arn_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="neither the name nor the ARN"):
        PipelineRef.parse(text)


def test_a_pipeline_has_one_key_by_name_and_by_arn_and_another_one_for_each_version() -> None:
    in_other_letters = ARN.replace("churn-train", "Churn-Train")
    assert PipelineRef.parse("churn-train").key_in(HOME) == PipelineRef.parse(in_other_letters).key_in(HOME)
    assert len({PipelineRef.parse("churn-train", version).key_in(HOME) for version in (None, 1, 2)}) == 3


@pytest.mark.parametrize(
    ("text", "is_meant"),
    [
        ("churn-train", True),
        ("Churn-Train", True),
        (ARN.replace("churn-train", "CHURN-Train"), True),
        ("train", False),
        ("churn-train-2", False),
        (ARN.replace("us-east-1", "eu-west-1"), False),
        (ARN.replace("123456789012", "210987654321"), False),
    ],
)
def test_a_pipeline_is_meant_by_its_name_and_by_its_whole_arn_in_any_case(text: str, is_meant: bool) -> None:
    assert PipelineRef.parse(text).means(ARN) == is_meant


def test_the_token_depends_on_trigger_target_pipeline_and_occurrence() -> None:
    base = {"trigger": "t", "target_id": "id", "pipeline_arn": ARN, "occurrence": "o"}
    tokens = {token_of(**base)} | {token_of(**{**base, part: base[part] + "x"}) for part in base}
    assert len(tokens) == 5


def test_the_token_does_not_depend_on_the_case_of_the_arn() -> None:
    assert token_of("t", "id", ARN, "o") == token_of("t", "id", ARN.replace("churn", "Churn"), "o")


def test_parts_of_the_token_cannot_run_into_each_other() -> None:
    assert token_of("a", "bc", ARN, "o") != token_of("ab", "c", ARN, "o")


def test_the_token_has_the_length_that_sagemaker_wants() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", token_of("t", "id", ARN, "o"))


@given(st.text(max_size=200), st.text(alphabet="0123456789abcdef", min_size=64, max_size=64))
def test_every_display_name_is_accepted_and_ends_in_the_token(prefix: str, token: str) -> None:
    name = display_name_of(prefix, token)
    assert DISPLAY_NAME.fullmatch(name)
    assert len(name) <= MAX_DISPLAY_NAME
    assert name.endswith("-" + token[:12])


@given(st.text(max_size=4000), st.text(max_size=300))
def test_every_description_is_one_line_within_the_limit_and_ends_in_the_token(note: str, event_id: str) -> None:
    token = "0" * 64
    text = Provenance("t", "id", event_id, "aws.s3", "Object Created", token, note).to_description()
    assert DESCRIPTION.fullmatch(text)
    assert len(text) <= MAX_DESCRIPTION
    assert text.endswith(f"token {token}")


def test_a_request_survives_being_stored() -> None:
    request = StartRequest(ARN, {"A": "1"}, "t" * 64, "name", "why", 3, 2, "arn:aws:iam::123456789012:role/r")
    assert StartRequest.from_document(request.to_document()) == request


def test_the_hash_of_parameters_does_not_depend_on_their_order() -> None:
    one = StartRequest(ARN, {"A": "1", "B": "2"}, "t", "n", "d")
    other = StartRequest(ARN, {"B": "2", "A": "1"}, "t", "n", "d")
    assert one.parameters_hash == other.parameters_hash


def test_canonical_json_can_always_be_encoded() -> None:
    assert canonical({"b": "\ud800", "a": "ü"}).encode() == b'{"a":"\\u00fc","b":"\\ud800"}'
