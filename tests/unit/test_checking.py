"""Triggers compared with their pipelines: what is asked of SageMaker, and what its answers mean."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline_triggers.checking import Checker
from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.triggers import Trigger
from pipeline_triggers.errors import PermanentError, TransientError
from tests.fakes.pipelines import FakePipelines

ROLE = "arn:aws:iam::999999999999:role/starter"
DENIED = TransientError("denied-yet", "not authorized to perform sagemaker:DescribePipeline")
DEFINITION = Definition({"Rows": Declared("Integer")})


def trigger(*targets: dict[str, Any]) -> Trigger:
    named = [{"id": f"t{number}", "parameters": {"Rows": "5"}} | target for number, target in enumerate(targets)]
    return Trigger.from_document({"name": "t", "event_pattern": {"source": ["x"]}, "targets": named})


@pytest.fixture
def pipelines() -> FakePipelines:
    fake = FakePipelines()
    fake.add("churn-train", DEFINITION)
    return fake


def test_a_pipeline_that_would_take_the_start_has_no_problem(pipelines: FakePipelines) -> None:
    checker = Checker(pipelines)
    found = checker.check(trigger({"pipeline": "churn-train"}))
    assert (found.problems, found.warnings, checker.left_out) == ((), (), ())


def test_each_pipeline_and_version_is_asked_for_once(pipelines: FakePipelines) -> None:
    pipelines.add("churn-train", DEFINITION, version=1)
    checker = Checker(pipelines)
    one, versioned = {"pipeline": "churn-train"}, {"pipeline": "churn-train", "version_id": 1}
    for _ in range(3):
        checker.check(trigger(one, versioned, one, versioned))
    assert len(pipelines.called("describe")) == 2


def test_the_definition_of_the_given_version_counts(pipelines: FakePipelines) -> None:
    pipelines.add("churn-train", Definition({}), version=1)
    pipelines.add("churn-train", DEFINITION, version=2)
    found = Checker(pipelines).check(
        trigger({"pipeline": "churn-train", "version_id": 1}, {"pipeline": "churn-train", "version_id": 2}),
    )
    assert [problem.field for problem in found.problems] == ["targets[0].parameters.Rows"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"pipeline": "churn"}, "there is no pipeline churn in this account and Region"),
        ({"pipeline": "churn-train", "version_id": 9}, "there is no pipeline churn-train (version 9)"),
        (
            {"pipeline": "arn:aws:sagemaker:eu-west-1:999999999999:pipeline/churn"},
            "there is no pipeline arn:aws:sagemaker:eu-west-1:999999999999:pipeline/churn",
        ),
    ],
)
def test_a_pipeline_that_is_not_there_is_a_problem(pipelines: FakePipelines, target: dict[str, Any], said: str) -> None:
    (problem,) = Checker(pipelines).check(trigger({"pipeline": "churn-train"}, target)).problems
    assert problem.field == "targets[1].pipeline"
    assert problem.reason.startswith(said)


def test_a_pipeline_that_is_being_deleted_is_a_problem(pipelines: FakePipelines) -> None:
    pipelines.begin_deleting("churn-train")
    (problem,) = Checker(pipelines).check(trigger({"pipeline": "churn-train"})).problems
    assert (problem.field, "being deleted" in problem.reason) == ("targets[0].pipeline", True)


def test_all_pipelines_that_nobody_may_describe_are_one_warning(pipelines: FakePipelines) -> None:
    pipelines.fail("describe", DENIED, DENIED)
    checker = Checker(pipelines)
    found = checker.check(
        trigger({"pipeline": "one"}, {"pipeline": "two"}, {"pipeline": "one"}, {"pipeline": "churn-train"})
    )
    assert (found.problems, found.warnings) == ((), ())
    (warning,) = checker.left_out
    assert "one, two:" in warning.reason
    assert "sagemaker:DescribePipeline" in warning.remedy


def test_who_may_not_describe_asks_with_the_role_of_the_target(pipelines: FakePipelines) -> None:
    pipelines.fail("describe", DENIED)
    checker = Checker(pipelines)
    found = checker.check(trigger({"pipeline": "churn-train", "role_arn": ROLE, "parameters": {}}))
    assert [problem.field for problem in found.problems] == ["targets[0].parameters.Rows"]
    assert [call["role_arn"] for call in pipelines.called("describe")] == [None, ROLE]
    assert checker.left_out == ()


def test_a_definition_that_cannot_be_read_is_a_warning(pipelines: FakePipelines) -> None:
    pipelines.fail("describe", PermanentError("refused-by-sagemaker", "it is not JSON"))
    found = Checker(pipelines).check(trigger({"pipeline": "churn-train"}))
    assert found.problems == ()
    assert [(w.field, w.reason) for w in found.warnings] == [("targets[0].pipeline", "was not checked: it is not JSON")]


@pytest.mark.parametrize("reason", ["throttled", "unavailable"])
def test_what_could_not_be_asked_is_no_finding_but_an_error(pipelines: FakePipelines, reason: Any) -> None:
    pipelines.fail("describe", TransientError(reason, "no answer"))
    with pytest.raises(TransientError, match="no answer"):
        Checker(pipelines).check(trigger({"pipeline": "churn-train"}))
