"""Where moto is not AWS: each test fails when moto becomes right, so that the correction can go.

The other half, that the embedded AWS is right, is in the tests of ``corrections``, ``pipelines``, ``limits``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto.sqs.models import sqs_backends

from pipeline_triggers.local.wire import ACCOUNT, REGION
from tests.unit.local.support import (
    attributes_of_a_dead_letter,
    layers_of,
    left_after_deleting_two_at_once,
    stack_with_a_layer,
    start,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.unit.local.support import Account


def test_moto_gives_all_s3_events_one_id_one_sequencer_and_a_misspelt_etag(bare_moto: Account) -> None:
    queue = bare_moto.queue_of_rule({"source": ["aws.s3"], "detail-type": ["Object Created"]})
    bare_moto.bucket()
    for key in ("a", "b"):
        bare_moto.client("s3").put_object(Bucket="raw-data", Key=key, Body=b"1")
    first, second = bare_moto.received(queue)
    assert first["id"] == second["id"]
    assert first["detail"]["object"]["sequencer"] == second["detail"]["object"]["sequencer"]
    assert "eTag" in first["detail"]["object"]
    assert "version-id" in first["detail"]["object"]  # of a bucket without versions


def test_moto_sends_s3_events_to_every_bus(bare_moto: Account) -> None:
    bare_moto.client("events").create_event_bus(Name="own")
    queue = bare_moto.queue_of_rule({"source": ["aws.s3"]}, bus="own")
    bare_moto.bucket()
    bare_moto.client("s3").put_object(Bucket="raw-data", Key="a", Body=b"1")
    assert bare_moto.received(queue)


def test_moto_reports_every_upload_as_tagging_too(bare_moto: Account) -> None:
    queue = bare_moto.queue_of_rule({"source": ["aws.s3"]})
    bare_moto.bucket()
    bare_moto.client("s3").put_object(Bucket="raw-data", Key="a", Body=b"1")
    assert [event["detail-type"] for event in bare_moto.received(queue)] == ["Object Created", "Object Tags Added"]


def test_moto_does_not_tell_that_a_bucket_sends_events(bare_moto: Account) -> None:
    bare_moto.bucket()
    answer = bare_moto.client("s3").get_bucket_notification_configuration(Bucket="raw-data")
    assert "EventBridgeConfiguration" not in answer


def test_moto_sends_s3_notifications_without_a_sequencer(bare_moto: Account) -> None:
    url, arn = bare_moto.queue("notified")
    sns = bare_moto.client("sns")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    bare_moto.bucket(notify_topic=topic)
    bare_moto.client("s3").put_object(Bucket="raw-data", Key="a", Body=b"1")
    notifications = [json.loads(body["Message"]) for body in bare_moto.received(url)]
    assert "sequencer" not in notifications[-1]["Records"][0]["s3"]["object"]


def test_moto_delivers_events_without_account(bare_moto: Account) -> None:
    queue = bare_moto.queue_of_rule({"source": ["own"]})
    bare_moto.client("events").put_events(Entries=[{"Source": "own", "DetailType": "d", "Detail": "{}"}])
    assert "account" not in bare_moto.received(queue)[0]


def test_moto_lets_disabled_rules_deliver(bare_moto: Account) -> None:
    queue = bare_moto.queue_of_rule({"source": ["own"]}, State="DISABLED")
    bare_moto.client("events").put_events(Entries=[{"Source": "own", "DetailType": "d", "Detail": "{}"}])
    assert bare_moto.received(queue)


def test_moto_lets_a_scheduled_rule_match_every_event(bare_moto: Account) -> None:
    url, arn = bare_moto.queue("sweep")
    events = bare_moto.client("events")
    events.put_rule(Name="sweep", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="sweep", Targets=[{"Id": "queue", "Arn": arn}])
    events.put_events(Entries=[{"Source": "own", "DetailType": "d", "Detail": "{}"}])
    assert bare_moto.received(url)


def test_moto_takes_a_pattern_with_an_operator_that_there_is_not(bare_moto: Account) -> None:
    queue = bare_moto.queue_of_rule({"source": [{"regex": "o.*"}]})
    bare_moto.client("events").put_events(Entries=[{"Source": "own", "DetailType": "d", "Detail": "{}"}])
    assert bare_moto.received(queue)


def test_moto_takes_a_pattern_of_more_than_4096_characters(bare_moto: Account) -> None:
    assert bare_moto.queue_of_rule({"source": ["s" * 4096]})


def test_moto_does_not_look_into_arrays_of_objects(bare_moto: Account) -> None:
    queue = bare_moto.queue_of_rule({"detail": {"parts": {"name": ["a"]}}})
    detail = json.dumps({"parts": [{"name": "a"}]})
    bare_moto.client("events").put_events(Entries=[{"Source": "own", "DetailType": "d", "Detail": detail}])
    assert not bare_moto.received(queue)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_moto_fails_put_events_when_a_target_cannot_be_delivered_to(bare_moto: Account) -> None:
    events = bare_moto.client("events")
    events.put_rule(Name="rule", EventPattern='{"source": ["own"]}')
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": function}])
    with pytest.raises(ClientError):
        events.put_events(Entries=[{"Source": "own", "DetailType": "d", "Detail": "{}"}])


def test_moto_accepts_events_from_sources_of_aws(bare_moto: Account) -> None:
    events = bare_moto.client("events")
    answer = events.put_events(Entries=[{"Source": "aws.s3", "DetailType": "d", "Detail": "{}"}])
    assert answer["FailedEntryCount"] == 0


def test_moto_brings_back_a_message_that_is_deleted_while_another_is(bare_moto: Account) -> None:
    assert left_after_deleting_two_at_once(bare_moto) == ["second"]


def test_moto_starts_twice_for_one_token(bare_moto: Account) -> None:
    bare_moto.pipeline("churn")
    assert start(bare_moto, "churn") != start(bare_moto, "churn")


def test_moto_accepts_unknown_and_overlong_parameters(bare_moto: Account) -> None:
    bare_moto.pipeline("churn")
    parameters = [{"Name": "No_Such!", "Value": "x" * 2000}] * 300
    assert start(bare_moto, "churn", PipelineParameters=parameters)


def test_moto_keeps_the_case_of_pipeline_arns(bare_moto: Account) -> None:
    assert bare_moto.pipeline("Churn").endswith(":pipeline/Churn")


def test_moto_refuses_a_pipeline_arn_as_name(bare_moto: Account) -> None:
    arn = bare_moto.pipeline("churn")
    with pytest.raises(ClientError, match="Could not find pipeline"):
        start(bare_moto, arn)


def test_moto_answers_validation_exception_for_a_missing_pipeline(bare_moto: Account) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        bare_moto.client("sagemaker").describe_pipeline(PipelineName="missing")


def test_moto_cannot_update_endpoints(bare_moto: Account) -> None:
    with pytest.raises(ClientError):
        bare_moto.client("sagemaker").update_endpoint(EndpointName="e", EndpointConfigName="c")


SCHEDULE: Mapping[str, Any] = MappingProxyType(
    {
        "Name": "s",
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r"},
    }
)


def test_moto_accepts_a_schedule_that_never_fires_with_a_role_that_does_not_exist(bare_moto: Account) -> None:
    scheduler = bare_moto.client("scheduler")
    scheduler.create_schedule(
        **{**SCHEDULE, "ScheduleExpression": "cron(banana)", "ScheduleExpressionTimezone": "Mars/Olympus"}
    )
    assert scheduler.get_schedule(Name="s")["ScheduleExpressionTimezone"] == "Mars/Olympus"


def test_moto_lets_a_rate_and_an_update_start_long_ago(bare_moto: Account) -> None:
    scheduler = bare_moto.client("scheduler")
    scheduler.create_schedule(**SCHEDULE, StartDate=datetime(2020, 1, 1, tzinfo=UTC))
    scheduler.update_schedule(
        **{**SCHEDULE, "ScheduleExpression": "cron(0 3 * * ? *)"}, StartDate=datetime(2020, 1, 1, tzinfo=UTC)
    )
    assert scheduler.get_schedule(Name="s")["StartDate"].year == 2020


def test_moto_forgets_the_state_of_an_updated_schedule_and_what_follows_its_completion(bare_moto: Account) -> None:
    scheduler = bare_moto.client("scheduler")
    scheduler.create_schedule(**SCHEDULE)
    scheduler.update_schedule(**SCHEDULE, ActionAfterCompletion="DELETE")
    assert not {"State", "ActionAfterCompletion"} & set(scheduler.get_schedule(Name="s"))


def test_moto_completes_no_retry_policy_that_is_given_in_part(bare_moto: Account) -> None:
    scheduler = bare_moto.client("scheduler")
    target = {**SCHEDULE["Target"], "RetryPolicy": {"MaximumRetryAttempts": 1}}
    scheduler.create_schedule(**{**SCHEDULE, "Target": target})
    assert scheduler.get_schedule(Name="s")["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 1}


def test_moto_makes_a_conflict_of_a_schedule_that_is_created_again_with_its_token(bare_moto: Account) -> None:
    scheduler = bare_moto.client("scheduler")
    scheduler.create_schedule(**SCHEDULE, ClientToken="once")
    with pytest.raises(ClientError, match="ConflictException"):
        scheduler.create_schedule(**SCHEDULE, ClientToken="once")


def test_moto_fails_inside_for_a_schedule_in_a_missing_group_and_for_its_deletion(bare_moto: Account) -> None:
    scheduler = bare_moto.client("scheduler")
    with pytest.raises(ClientError, match="InternalFailure"):
        scheduler.create_schedule(**SCHEDULE, GroupName="missing")
    with pytest.raises(ClientError, match="InternalFailure"):
        scheduler.delete_schedule_group(Name="missing")
    assert scheduler.list_schedules(GroupName="missing")["Schedules"] == []


def test_moto_empties_a_schedule_group_that_is_created_again(bare_moto: Account) -> None:
    scheduler = bare_moto.client("scheduler")
    scheduler.create_schedule_group(Name="team")
    scheduler.create_schedule(**SCHEDULE, GroupName="team")
    scheduler.create_schedule_group(Name="team")
    assert scheduler.list_schedules(GroupName="team")["Schedules"] == []


def test_moto_means_to_run_mapped_functions_itself(bare_moto: Account) -> None:
    _, arn = bare_moto.queue("mapped")
    bare_moto.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    functions: Any = bare_moto.client("lambda")
    functions.create_function(
        FunctionName="f",
        Runtime="python3.13",
        Handler="app.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/r",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )
    functions.create_event_source_mapping(FunctionName="f", EventSourceArn=arn)
    assert sqs_backends[ACCOUNT][REGION].queues["mapped"].lambda_event_source_mappings


@pytest.mark.parametrize(
    "resource",
    [
        "AWS::SQS::QueuePolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SNS::Subscription",
        "AWS::CloudWatch::Alarm",
        "AWS::Scheduler::ScheduleGroup",
    ],
)
def test_moto_skips_a_type_of_resource_in_a_template(resource: str) -> None:
    from moto.cloudformation import parsing

    assert resource not in parsing.get_model_map()


def test_moto_leaves_null_where_a_list_item_has_no_value() -> None:
    from moto.cloudformation import parsing

    resources: Any = {"AWS::NoValue": None}
    assert parsing.clean_json(["a", {"Ref": "AWS::NoValue"}], resources) == ["a", None]


def test_moto_makes_functions_of_templates_without_layers(bare_moto: Account) -> None:
    assert layers_of(bare_moto, stack_with_a_layer(bare_moto, "First")) == []


def test_moto_does_not_say_which_queue_a_dead_letter_is_from(bare_moto: Account) -> None:
    assert "DeadLetterQueueSourceArn" not in attributes_of_a_dead_letter(bare_moto)
