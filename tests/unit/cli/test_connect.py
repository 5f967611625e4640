"""The commands "connect" and "disconnect": what they show, ask, write and leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.delivery import Delivered
from pipeline_triggers.errors import NotFoundError, TransientError
from tests.fakes.queue_policies import lets
from tests.unit.cli.conftest import OUTPUTS

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

TOPIC = "arn:aws:sns:eu-central-1:210987654321:uploads"
QUEUE = OUTPUTS["SnsEventQueueArn"]
NOTIFIES: dict[str, Any] = {
    "QueueConfigurations": [{"Id": "q", "QueueArn": "arn:aws:sqs:r:1:theirs", "Events": ["s3:ObjectCreated:*"]}]
}
ON = {**NOTIFIES, "EventBridgeConfiguration": {}}
PLAN = """\
bucket raw-data
change  events to EventBridge: off → on
kept    queue theirs (s3:ObjectCreated:*)
ok      the stack's rule pipeline-triggers-s3-objects takes its events
"""


@pytest.fixture
def stack(command_line: CommandLine) -> CommandLine:
    """A bucket and a topic that the stack would take, neither connected."""
    command_line.buckets.add("raw-data", NOTIFIES, region="eu-central-1")
    command_line.rule_book.add("pipeline-triggers-s3-objects", {"source": ["aws.s3"]})
    command_line.topics.add(TOPIC)
    for queue in OUTPUTS.values():
        command_line.policies.add(queue, lets("sns.amazonaws.com", queue))
    command_line.trusted = (TOPIC,)
    return command_line


def test_a_dry_run_shows_the_plan_and_writes_nothing(stack: CommandLine) -> None:
    result = stack.run("connect", "bucket", "raw-data", "--dry-run")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{PLAN}Nothing was changed.\n", "")
    assert stack.buckets.notifications("raw-data") == NOTIFIES


def test_connecting_a_bucket_shows_what_it_did_and_how_to_undo_it(stack: CommandLine) -> None:
    result = stack.run("connect", "bucket", "raw-data", "--yes")
    undo = "Connected. To undo it: pipeline-triggers disconnect bucket raw-data\n"
    assert (result.exit_code, result.stdout) == (0, f"{PLAN}{undo}")
    assert stack.buckets.notifications("raw-data") == ON


def test_the_plan_is_shown_before_the_question_and_not_again(stack: CommandLine) -> None:
    stack.interactive = True
    stack.rule_book.fail("rule", TransientError("denied-yet", "no"))
    result = stack.run("connect", "bucket", "raw-data", input="y\n")
    assert result.exit_code == 0
    assert result.stdout.count("events to EventBridge") == 1
    assert result.stderr.count("you may not look at the rule") == 1
    assert stack.buckets.notifications("raw-data") == ON


def test_without_approval_nothing_is_changed(stack: CommandLine) -> None:
    stack.interactive = True
    result = stack.run("connect", "bucket", "raw-data", input="n\n")
    assert (result.exit_code, "not approved: nothing was changed" in result.stderr) == (1, True)
    stack.interactive = False
    result = stack.run("connect", "bucket", "raw-data")
    assert (result.exit_code, "Give --yes" in result.stderr) == (2, True)
    assert stack.buckets.notifications("raw-data") == NOTIFIES


def test_what_is_connected_already_is_not_asked_about(stack: CommandLine) -> None:
    stack.buckets.add("raw-data", ON, region="eu-central-1")
    result = stack.run("connect", "bucket", "raw-data")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "It is connected already.")
    assert stack.buckets.called("notify") == []


def test_the_json_says_everything(stack: CommandLine) -> None:
    document = stack.json("connect", "bucket", "raw-data", "--yes")
    assert document["result"] == {
        "bucket": "raw-data",
        "changes": [{"what": "events to EventBridge", "before": "off", "after": "on"}],
        "kept": ["queue theirs (s3:ObjectCreated:*)"],
        "checks": ["the stack's rule pipeline-triggers-s3-objects takes its events"],
        "left": "",
        "written": True,
    }


def test_a_bucket_that_the_stack_does_not_take_is_refused(stack: CommandLine) -> None:
    stack.rule_book.add("pipeline-triggers-s3-objects", {"source": ["aws.s3"], "detail": {"bucket": {"name": ["x"]}}})
    stack.delivered = Delivered(buckets=("x",))
    result = stack.run("connect", "bucket", "raw-data", "--yes")
    assert result.exit_code == 2
    assert result.stderr.startswith("NAME: the stack's rule pipeline-triggers-s3-objects does not take events of")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("connect", "bucket", "s3://raw-data"), 2, "NAME: 's3://raw-data' is no name of a bucket"),
        (("connect", "bucket", "other-data"), 1, "there is no bucket other-data"),
        (("connect", "topic", "uploads"), 2, "ARN: 'uploads' is not the ARN of an SNS topic"),
        (("connect", "topic", f"{TOPIC}-2"), 1, "there is no topic or subscription"),
        (("disconnect", "bucket", "Raw"), 2, "NAME: 'Raw' is no name of a bucket"),
        (("disconnect", "topic", "\x1b[31m"), 2, "is not the ARN of an SNS topic"),
        (("connect", "bucket"), 2, "Missing argument 'NAME'"),
        (("connect", "queue", "x"), 2, "there is no command 'queue'"),
    ],
)
def test_bad_input_is_told(stack: CommandLine, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = stack.run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "\x1b" not in result.stderr


def test_a_stack_that_is_not_there_is_told(stack: CommandLine) -> None:
    stack.delivered = NotFoundError("there is no stack pipeline-triggers in this account and Region")
    assert stack.run("connect", "bucket", "raw-data").exit_code == 1


def test_disconnecting_undoes_what_connect_did(stack: CommandLine) -> None:
    stack.run("connect", "bucket", "raw-data", "--yes")
    dry = stack.run("disconnect", "bucket", "raw-data", "--dry-run")
    assert "events to EventBridge: on → off" in dry.stdout
    assert stack.buckets.notifications("raw-data") == ON
    result = stack.run("disconnect", "bucket", "raw-data", "--yes")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "Disconnected.")
    assert stack.buckets.notifications("raw-data") == NOTIFIES
    again = stack.run("disconnect", "bucket", "raw-data")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "It is not connected.")


def test_what_was_undone_elsewhere_is_forgotten(stack: CommandLine) -> None:
    stack.run("connect", "bucket", "raw-data", "--yes")
    stack.buckets.add("raw-data", NOTIFIES, region="eu-central-1")
    stack.run("disconnect", "bucket", "raw-data", "--dry-run")
    assert stack.connections.get("bucket", "raw-data") is not None
    stack.run("disconnect", "bucket", "raw-data")
    assert stack.connections.get("bucket", "raw-data") is None


def test_disconnecting_asks_and_warns_of_whom_it_concerns(stack: CommandLine) -> None:
    stack.run("connect", "bucket", "raw-data", "--yes")
    stack.rule_book.add("audit", {"source": ["aws.s3"]})
    stack.interactive = True
    result = stack.run("disconnect", "bucket", "raw-data", input="n\n")
    assert result.exit_code == 1
    assert "warning: the rule audit takes events of this bucket too" in result.stderr
    assert stack.buckets.notifications("raw-data") == ON


def test_what_connect_did_not_do_is_left_and_that_is_a_failure(stack: CommandLine) -> None:
    stack.buckets.add("raw-data", ON, region="eu-central-1")
    result = stack.run("disconnect", "bucket", "raw-data", "--yes")
    assert result.exit_code == 1
    assert result.stderr.startswith("raw-data: is left as it is: connect did not turn its events on")
    assert stack.buckets.notifications("raw-data") == ON
    assert stack.json("disconnect", "bucket", "raw-data", "--yes")["result"]["written"] is False


def test_a_topic_is_connected_and_disconnected(stack: CommandLine) -> None:
    result = stack.run("connect", "topic", TOPIC, "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "change  subscription of pipeline-triggers-sns-event: none → made" in result.stdout
    assert "change  RawMessageDelivery: not set → false" in result.stdout
    assert stack.topics.subscription(TOPIC, QUEUE) is not None
    result = stack.run("disconnect", "topic", TOPIC, "--yes")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "Disconnected.")
    assert stack.topics.subscription(TOPIC, QUEUE) is None


def test_a_topic_that_is_not_trusted_is_connected_with_a_warning(stack: CommandLine) -> None:
    stack.trusted = ()
    result = stack.run("connect", "topic", TOPIC, "--yes")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: it is not among the stack's TrustedTopicArns")
    warnings = stack.json("connect", "topic", TOPIC)["warnings"]
    assert [warning["reason"][:20] for warning in warnings] == ["it is not among the "]


def test_all_lines_fit_80_columns(stack: CommandLine) -> None:
    result = stack.run("connect", "topic", TOPIC, "--dry-run")
    assert max(map(len, result.stdout.splitlines())) <= 80
