"""What is linked with what, and how sources are named."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline_triggers.documents import load
from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.graph import Graph, graph_of
from pipeline_triggers.domain.triggers import Trigger
from tests.architecture.modules import ROOT

HOME = Home("aws", "123456789012", "us-east-1")
TRAIN_ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"


def trigger(name: str = "retrain", *pipelines: str, pattern: Any = None, **more: Any) -> Trigger:
    when = {} if "schedule_expression" in more else {"event_pattern": pattern or {"source": ["shop"]}}
    targets = [{"pipeline": each, "id": str(number)} for number, each in enumerate(pipelines or ("churn-train",))]
    return Trigger.from_document({"name": name, "targets": targets, **when, **more})


def sagemaker(detail_type: str, **detail: Any) -> dict[str, Any]:
    return {"source": ["aws.sagemaker"], "detail-type": [f"SageMaker {detail_type}"], "detail": detail}


def links(pattern: Any) -> list[tuple[str, str]]:
    """The sources of a pattern with what is waited for."""
    graph = graph_of([trigger("retrain", "another", pattern=pattern)])
    return [(link.source.label, link.when) for source in graph.sources for link in graph.links_of(source)]


EXECUTION = "Model Building Pipeline Execution Status Change"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.s3"]}, [("any S3 bucket", "")]),
        (
            {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": ["a", {"prefix": "b-"}]}, "object": {"key": [{"suffix": ".csv"}]}},
            },
            [("S3 bucket a", "Object Created, key *.csv"), ("S3 bucket b-*", "Object Created, key *.csv")],
        ),
        ({"source": ["aws.sns"]}, [("any SNS topic", "")]),
        (
            {
                "source": ["aws.sns"],
                "detail": {"TopicArn": ["arn:aws:sns:us-east-1:123456789012:up"], "Message": {"go": [True]}},
            },
            [("SNS topic up", "go true")],
        ),
        (
            {"source": ["aws.sns"], "detail": {"TopicArn": [{"suffix": ":up"}], "Message": ["go"]}},
            [("SNS topic up", "go")],
        ),
        (sagemaker("Endpoint State Change", EndpointName=["e"], EndpointStatus=["FAILED"]), [("endpoint e", "FAILED")]),
        (sagemaker("Training Job State Change", TrainingJobName=[{"prefix": "j-"}]), [("training job j-*", "")]),
        (
            sagemaker("Model Package State Change", ModelPackageGroupName=["m"], ModelApprovalStatus=["Approved"]),
            [("model group m", "Approved")],
        ),
        (
            sagemaker(EXECUTION, pipelineArn=[TRAIN_ARN], currentPipelineExecutionStatus=["Succeeded", "Failed"]),
            [("pipeline churn-train", "Succeeded or Failed")],
        ),
        (sagemaker("Image State Change", x=[1]), [("SageMaker", "Image State Change")]),
        (
            {"source": ["aws.sagemaker"], "detail": {"x": [1]}, "resources": ["r"], "detail-type": ["Other"]},
            [("SageMaker", "Other")],
        ),
        (
            {"source": ["aws.cloudwatch"], "detail": {"alarmName": ["a", "b"], "state": {"value": ["ALARM"]}}},
            [("alarm a", "ALARM"), ("alarm b", "ALARM")],
        ),
        ({"source": ["shop"], "detail-type": ["Order"]}, [("events of shop", "Order")]),
        ({"source": [{"prefix": "com."}]}, [("events of com.*", "")]),
        ({"detail-type": ["Order"]}, [("any event", "Order")]),
        (
            {"$or": [{"source": ["shop"], "detail-type": ["Order"]}, {"source": ["shop"], "detail-type": ["Return"]}]},
            [("events of shop", "Order; Return")],
        ),
        (
            {"$or": [{"source": ["shop"], "detail-type": ["Order"]}, {"source": ["shop"], "detail": {"a": [1]}}]},
            [("events of shop", "")],
        ),
        (
            {"source": ["aws.s3"], "detail": {"$or": [{"bucket": {"name": ["a"]}}, {"bucket": {"name": ["b"]}}]}},
            [("S3 bucket a", ""), ("S3 bucket b", "")],
        ),
    ],
)
def test_a_pattern_names_its_sources_and_what_it_waits_for(pattern: Any, expected: list[tuple[str, str]]) -> None:
    assert links(pattern) == expected


def test_many_buckets_are_one_source() -> None:
    names = [f"bucket-{number}" for number in range(20)]
    ((label, _),) = links({"source": ["aws.s3"], "detail": {"bucket": {"name": names}}})
    assert label.startswith("S3 bucket bucket-0 or bucket-1")
    assert label.endswith("15 more")


def test_a_schedule_is_a_source_with_its_zone() -> None:
    triggers = [
        trigger("a", schedule_expression="rate(5 minutes)"),
        trigger("b", schedule_expression="cron(0 3 * * ? *)", timezone="Europe/Berlin"),
    ]
    assert [source.label for source in graph_of(triggers).sources] == [
        "cron(0 3 * * ? *) Europe/Berlin",
        "rate(5 minutes)",
    ]


def test_sources_come_by_kind_and_triggers_by_their_first_source() -> None:
    graph = graph_of(load((ROOT / "triggers.yaml").read_text(encoding="utf-8")).triggers)
    kinds = [source.kind for source in graph.sources]
    assert kinds == ["s3", "sns", *["sagemaker"] * 3, "alarm", "events", *["schedule"] * 2]
    assert [node.name for node in graph.triggers][:4] == [
        "retrain-on-upload",
        "score-each-upload",
        "retrain-on-deletion",
        "score-on-sns-request",
    ]
    assert [link.trigger for link in graph.links_of(graph.sources[0])] == [node.name for node in graph.triggers[:3]]


def test_a_pipeline_is_one_whether_it_is_named_by_name_or_by_arn_in_any_case() -> None:
    triggers = [trigger("a", "Churn-Train"), trigger("b", TRAIN_ARN)]
    graph = graph_of(triggers, home=HOME)
    assert [node.label for node in graph.pipelines] == ["Churn-Train"]
    assert graph.pipelines_of("a") == graph.pipelines_of("b")


def test_without_a_home_a_name_and_an_arn_are_not_known_to_be_the_same() -> None:
    graph = graph_of([trigger("a", "churn-train"), trigger("b", TRAIN_ARN)])
    assert [node.label for node in graph.pipelines] == ["churn-train", "churn-train (123456789012, us-east-1)"]


def test_a_pipeline_elsewhere_says_where() -> None:
    graph = graph_of([trigger("a", TRAIN_ARN.replace("us-east-1", "eu-west-1"))], home=HOME)
    assert graph.pipelines[0].label == "churn-train (123456789012, eu-west-1)"


def test_a_pipeline_that_is_started_twice_by_a_trigger_is_one_start() -> None:
    graph = graph_of([trigger("a", "churn-train", "churn-train")])
    assert len(graph.starts) == 1


def test_a_pipeline_whose_executions_are_a_source_begins_a_chain() -> None:
    finished = sagemaker(EXECUTION, pipelineArn=[TRAIN_ARN], currentPipelineExecutionStatus=["Succeeded"])
    graph = graph_of([trigger("a", "Churn-Train"), trigger("b", "churn-score", pattern=finished)], home=HOME)
    ((pipeline, source),) = graph.chains
    assert (pipeline.name, source.label) == ("Churn-Train", "pipeline churn-train")


def test_a_trigger_that_no_rule_of_the_stack_delivers_to_says_so() -> None:
    triggers = [trigger("a"), trigger("b", pattern={"source": ["aws.s3"]})]
    graph = graph_of(triggers, delivered=Delivered())
    problems = {node.name: node.problems for node in graph.triggers}
    assert problems["b"] == ()
    assert "no rule of the stack delivers events of shop" in problems["a"][0]
    assert all(not node.problems for node in graph_of(triggers).triggers)


def test_no_triggers_are_an_empty_graph() -> None:
    assert graph_of([]) == Graph((), (), (), (), ())


def test_the_document_has_everything_in_json_types() -> None:
    document = graph_of([trigger("a", state="SHADOW")], home=HOME).to_document()
    assert document == {
        "sources": [{"kind": "events", "label": "events of shop"}],
        "triggers": [{"name": "a", "state": "SHADOW", "set": "", "problems": []}],
        "pipelines": [{"id": TRAIN_ARN, "name": "churn-train", "label": "churn-train"}],
        "links": [{"source": "events of shop", "trigger": "a", "when": ""}],
        "starts": [{"trigger": "a", "pipeline": TRAIN_ARN}],
    }
