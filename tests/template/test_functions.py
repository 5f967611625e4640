"""The functions: how they run, what feeds them, what they are told."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline_triggers.adapters.stacks import Stack
from pipeline_triggers.composition import CLEANUP_PARAMETERS
from pipeline_triggers.config import cleanup_policy
from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.schedule_plans import Defaults
from pipeline_triggers.domain.scheduled_times import QUEUE_SUFFIX
from pipeline_triggers.sources import sns
from tests.template.rendering import FILLED, NAMES, PSEUDO, ROOT, Rendered

FUNCTIONS = "AWS::Lambda::Function"
MAPPINGS = "AWS::Lambda::EventSourceMapping"

# Each function with its name, its folder and the queues that feed it.
CLEANUP = "ScheduleCleanupFunction"
EXPECTED = {
    "S3EventFunction": ("pt-s3-event", "functions/s3_event", {"S3EventQueue"}),
    "SnsEventFunction": ("pt-sns-event", "functions/sns_event", {"SnsEventQueue"}),
    "EndpointStatusFunction": ("pt-endpoint-status", "functions/endpoint_status", {"StatusEventQueue"}),
    "BusEventFunction": ("pt-bus-event", "functions/bus_event", {"BusEventQueue", "ScheduleQueue"}),
    CLEANUP: ("pt-schedule-cleanup", "functions/schedule_cleanup", {"CleanupQueue"}),
}


def test_the_functions_are_those_of_the_contract(stack: Rendered) -> None:
    names = {name: function["FunctionName"] for name, function in stack.of_type(FUNCTIONS).items()}
    assert names == {name: expected[0] for name, expected in EXPECTED.items()}


@pytest.mark.parametrize("function", EXPECTED)
def test_a_function_has_its_handler_in_its_folder(function: str, source: dict[str, Any]) -> None:
    folder = source["Resources"][function]["Properties"]["CodeUri"]
    assert folder == EXPECTED[function][1]
    assert (ROOT / folder / "app.py").is_file()


@pytest.mark.parametrize("function", EXPECTED)
def test_a_function_runs_as_agreed(function: str, stack: Rendered) -> None:
    properties = stack.properties(function)
    assert properties["Handler"] == "app.handler"
    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["x86_64"]
    assert properties["Timeout"] == (300 if function == CLEANUP else 60)
    assert properties["MemorySize"] == 256
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert len(properties["Layers"]) == 1
    assert properties["Description"]


@pytest.mark.parametrize("function", EXPECTED)
def test_a_function_has_a_role_of_its_own(function: str, stack: Rendered) -> None:
    role = stack.properties(function)["Role"]
    assert role == stack.arn(function.removesuffix("Function") + "Role")


@pytest.mark.parametrize("function", EXPECTED)
def test_a_function_writes_to_a_log_group_that_forgets(function: str, empty: Rendered, filled: Rendered) -> None:
    for stack, days in ((empty, "90"), (filled, "30")):
        properties = stack.properties(function)
        group = stack.properties(function.removesuffix("Function") + "LogGroup")
        assert group["LogGroupName"] == "/aws/lambda/" + properties["FunctionName"]
        assert properties["LoggingConfig"]["LogGroup"] == group["LogGroupName"]
        assert group["RetentionInDays"] == days


@pytest.mark.parametrize("function", EXPECTED)
def test_a_function_is_fed_by_its_queues(function: str, stack: Rendered) -> None:
    name = stack.properties(function)["FunctionName"]
    fed_by = {
        mapping["EventSourceArn"] for mapping in stack.of_type(MAPPINGS).values() if mapping["FunctionName"] == name
    }
    assert fed_by == {stack.arn(queue) for queue in EXPECTED[function][2]}


def test_a_mapping_reports_failures_one_by_one_and_limits_the_workers(stack: Rendered) -> None:
    for mapping in stack.of_type(MAPPINGS).values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
        assert 5 <= mapping["BatchSize"] <= 10


def test_a_mapping_filters_nothing_because_what_it_filtered_would_be_deleted(stack: Rendered) -> None:
    for mapping in stack.of_type(MAPPINGS).values():
        assert "FilterCriteria" not in mapping


def test_a_function_is_told_by_default(empty: Rendered) -> None:
    for name, function in empty.of_type(FUNCTIONS).items():
        of_cleanup = {
            "CLEANUP_TABLE": "pt-cleanup",
            "CLEANUP_MODE": "delete",
            "CLEANUP_RULES": "report",
            "MAX_DELETES": "200",
            "MAX_DELETE_SHARE": "50",
            "PROTECTED_SCHEDULES": "",
        }
        assert function["Environment"]["Variables"] == (of_cleanup if name == CLEANUP else {}) | {
            "TRIGGERS_TABLE": "pt-triggers",
            "LEDGER_TABLE": "pt-ledger",
            "QUARANTINE_TABLE": "pt-quarantine",
            "SCHEDULE_GROUP": "pt",
            "HOME_PARTITION": "aws",
            "HOME_ACCOUNT": "111122223333",
            "START_INTERVAL_SECONDS": "1",
            "MAX_STARTS_PER_HOUR": "1000",
            "TRUSTED_TOPIC_ARNS": "",
            "AWS_ENDPOINT_URL": "",
            "PIPELINE_TRIGGERS_ALLOW_AWS": "false",
            "POWERTOOLS_SERVICE_NAME": "pt",
            "POWERTOOLS_METRICS_NAMESPACE": "PipelineTriggers/pt",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }


def test_a_function_is_told_the_parameters(filled: Rendered) -> None:
    for function in filled.of_type(FUNCTIONS).values():
        variables = function["Environment"]["Variables"]
        assert variables["START_INTERVAL_SECONDS"] == "2"
        assert variables["MAX_STARTS_PER_HOUR"] == "50"
        assert variables["TRUSTED_TOPIC_ARNS"] == (
            "arn:aws:sns:eu-west-1:111122223333:uploads,arn:aws:sns:eu-west-1:444455556666:partner"
        )
        assert variables["AWS_ENDPOINT_URL"] == "http://host.docker.internal:4555"
        assert variables["POWERTOOLS_LOG_LEVEL"] == "DEBUG"


def test_the_clean_up_is_told_its_parameters(filled: Rendered) -> None:
    variables = filled.properties(CLEANUP)["Environment"]["Variables"]
    assert (variables["CLEANUP_MODE"], variables["MAX_DELETES"]) == ("report", "7")
    assert (variables["MAX_DELETE_SHARE"], variables["PROTECTED_SCHEDULES"]) == ("30", "default/nightly-*,prod/*")


def test_a_sweep_from_a_terminal_may_delete_what_the_functions_may(filled: Rendered) -> None:
    told = filled.properties(CLEANUP)["Environment"]["Variables"]
    of_all = filled.properties("BusEventFunction")["Environment"]["Variables"]
    assert set(CLEANUP_PARAMETERS.values()) == set(told) - set(of_all) - {"CLEANUP_TABLE"}
    read = {variable: FILLED[parameter] for parameter, variable in CLEANUP_PARAMETERS.items()}
    assert cleanup_policy(read) == cleanup_policy(told)
    assert cleanup_policy(told) != cleanup_policy({})


def test_a_function_is_told_names_of_resources_that_exist(stack: Rendered) -> None:
    tables = {table["TableName"] for table in stack.of_type("AWS::DynamoDB::Table").values()}
    for function in stack.of_type(FUNCTIONS).values():
        told = function["Environment"]["Variables"]
        assert {value for name, value in told.items() if name.endswith("_TABLE")} <= tables
        assert told["SCHEDULE_GROUP"] == stack.properties("ScheduleGroup")["Name"]


def test_what_a_function_is_told_needs_no_resource_because_sam_local_resolves_none(expanded: dict[str, Any]) -> None:
    resolvable = set(PSEUDO) | set(expanded["Parameters"])
    for resource in expanded["Resources"].values():
        if resource["Type"] == FUNCTIONS:
            for value in resource["Properties"]["Environment"]["Variables"].values():
                assert _references(value) <= resolvable


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for part in value for name in _references(part)}
    if not isinstance(value, dict):
        return set()
    ((key, argument),) = value.items()
    if key == "Ref":
        return {argument}
    if key == "Fn::Sub":
        return {part.split("}")[0] for part in argument.split("${")[1:]}
    assert key == "Fn::Join", f"sam local is not known to resolve {key}"
    return _references(argument)


def test_whatever_has_a_name_is_named_after_the_stack(stack: Rendered) -> None:
    for name, resource in stack.resources.items():
        if resource["Type"] in NAMES:
            said = resource["Properties"][NAMES[resource["Type"]]].removeprefix("/aws/lambda/")
            assert said == "pt" or said.startswith(("pt-", "pt/")), name


def test_what_stays_unnamed_is_on_this_list(stack: Rendered) -> None:
    unnamed = {resource["Type"] for resource in stack.resources.values()} - set(NAMES)
    assert unnamed == {
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Lambda::EventSourceMapping",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }


def test_the_outputs_say_where_things_are(stack: Rendered) -> None:
    values = {name: output["Value"] for name, output in stack.outputs.items()}
    assert values["EventsTopicArn"] == "arn:aws:sns:eu-west-1:111122223333:pt-events"
    assert {values[f"{table}TableName"] for table in ("Triggers", "Ledger", "Quarantine", "Cleanup")} == {
        "pt-triggers",
        "pt-ledger",
        "pt-quarantine",
        "pt-cleanup",
    }
    queues = set(stack.of_type("AWS::SQS::Queue"))
    assert {name.removesuffix("Url") for name in values if name.endswith("QueueUrl")} == queues
    assert all(output["Description"] for output in stack.outputs.values())


def test_the_outputs_say_what_new_schedules_get(stack: Rendered) -> None:
    outputs = {name: output["Value"] for name, output in stack.outputs.items()}
    assert Stack("pt", Home("aws", "111122223333", "eu-west-1"), Delivered(), outputs=outputs).schedule_defaults == (
        Defaults(
            group="pt",
            role_arn=stack.arn("SchedulerRole"),
            queue_role_arn=stack.arn("ScheduleQueueRole"),
            queue_arn=stack.arn("ScheduleQueue"),
            dead_letter_arn=stack.arn("UndeliveredQueue"),
        )
    )


def test_the_name_of_the_schedule_queue_is_the_one_that_scheduled_times_are_believed_from(stack: Rendered) -> None:
    endings = {name for name in stack.of_type("AWS::SQS::Queue") if stack.arn(name).endswith(QUEUE_SUFFIX)}
    assert endings == {"ScheduleQueue"}


def test_the_name_of_the_queue_of_sns_is_the_one_that_must_have_its_envelope(stack: Rendered) -> None:
    endings = {name for name in stack.of_type("AWS::SQS::Queue") if stack.arn(name).endswith(sns.QUEUE_SUFFIX)}
    assert endings == {"SnsEventQueue"}
