"""The commands of schedules."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.domain.definitions import Declared, Definition
from pipeline_triggers.domain.schedule_plans import parameters_of
from pipeline_triggers.errors import NotFoundError, PermanentError, TransientError

if TYPE_CHECKING:
    from tests.unit.cli.conftest import CommandLine

BERLIN = ("--timezone", "Europe/Berlin")
TRAIN = "arn:aws:sagemaker:eu-central-1:210987654321:pipeline/churn-train"
GROUP = "pipeline-triggers"
PUT = ("schedule", "put", "nightly", "--pipeline", "churn-train")


def put(command_line: CommandLine, *options: str) -> dict[str, Any]:
    return command_line.json(*PUT, *options)


def of_schedule(command_line: CommandLine, name: str = "nightly", group: str = GROUP) -> dict[str, Any]:
    return copy.deepcopy(dict(command_line.schedules.get(group, name).document))


def parameters_in(command_line: CommandLine) -> dict[str, str]:
    return parameters_of(of_schedule(command_line)["Target"])


@pytest.fixture
def command_line(command_line: CommandLine) -> CommandLine:
    """A stack whose pipeline churn-train declares two parameters."""
    declared = {"Rows": Declared("Integer", required=False, default=1), "Note": Declared(required=False)}
    command_line.pipelines.add(TRAIN, Definition(declared))
    return command_line


# preview


def preview(command_line: CommandLine, expression: str, *options: str) -> list[dict[str, Any]]:
    document = command_line.json("schedule", "preview", expression, *options)
    assert document["exit_code"] == 0
    times: list[dict[str, Any]] = document["result"]["times"]
    return times


def test_preview_tells_the_next_times_in_the_zone_and_in_utc(command_line: CommandLine) -> None:
    times = preview(command_line, "cron(0 3 * * ? *)", *BERLIN, "--count", "2", "--after", "2026-01-01T12:00:00Z")
    assert times == [
        {
            "time": "2026-01-02T03:00:00+01:00",
            "utc": "2026-01-02T02:00:00+00:00",
            "weekday": "Friday",
            "fires": True,
            "note": "",
        },
        {
            "time": "2026-01-03T03:00:00+01:00",
            "utc": "2026-01-03T02:00:00+00:00",
            "weekday": "Saturday",
            "fires": True,
            "note": "",
        },
    ]


def test_preview_marks_a_time_that_the_clocks_are_set_forward_over(command_line: CommandLine) -> None:
    skipped, fires = preview(
        command_line, "cron(30 2 * * ? *)", *BERLIN, "--count", "1", "--after", "2026-03-28T12:00:00Z"
    )
    assert (skipped["time"], skipped["utc"]) == ("2026-03-29T02:30:00", None)
    assert (skipped["fires"], skipped["note"]) == (False, "skipped")
    assert (fires["time"], fires["note"]) == ("2026-03-30T02:30:00+02:00", "")


def test_preview_marks_a_time_that_the_clocks_show_twice(command_line: CommandLine) -> None:
    first, after = preview(
        command_line, "cron(30 2 * * ? *)", *BERLIN, "--count", "2", "--after", "2026-10-24T12:00:00Z"
    )
    assert (first["utc"], first["note"], first["fires"]) == ("2026-10-25T00:30:00+00:00", "repeated", True)
    assert after["utc"] == "2026-10-26T01:30:00+00:00"


def test_preview_shows_weekday_zone_utc_and_what_daylight_saving_does(command_line: CommandLine) -> None:
    result = command_line.run(
        "schedule", "preview", "cron(30 2 * * ? *)", *BERLIN, "--count", "1", "--after", "2026-03-28T12:00:00Z"
    )
    assert result.stdout.splitlines() == [
        "cron(30 2 * * ? *) in Europe/Berlin",
        "     Europe/Berlin            UTC",
        "Sun  2026-03-29 02:30         -                 skipped: the clocks are set",
        "                                                forward over it",
        "Mon  2026-03-30 02:30 +02:00  2026-03-30 00:30",
    ]


@pytest.mark.parametrize("zone", ["America/Argentina/Buenos_Aires", "Antarctica/Troll", "Asia/Kathmandu", "UTC"])
def test_preview_fits_80_columns(command_line: CommandLine, zone: str) -> None:
    result = command_line.run(
        "schedule",
        "preview",
        "cron(30 * * * ? *)",
        "--timezone",
        zone,
        "--count",
        "200",
        "--after",
        "2026-03-28T12:00:00Z",
    )
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_preview_takes_the_fields_of_a_cron_alone(command_line: CommandLine) -> None:
    bare = command_line.json("schedule", "preview", "0 3 * * ? *", "--after", "2026-01-01T00:00:00Z")["result"]
    whole = command_line.json("schedule", "preview", "cron(0 3 * * ? *)", "--after", "2026-01-01T00:00:00Z")["result"]
    assert bare == whole


def test_preview_takes_ten_times_when_nothing_else_is_said(command_line: CommandLine) -> None:
    assert len(preview(command_line, "rate(5 minutes)")) == 10


def test_preview_begins_now(command_line: CommandLine) -> None:
    before = datetime.now(UTC)
    (first,) = preview(command_line, "cron(* * * * ? *)", "--count", "1")
    assert 0 < (datetime.fromisoformat(first["utc"]) - before).total_seconds() <= 61


def test_preview_of_a_rate_counts_from_its_start(command_line: CommandLine) -> None:
    times = preview(
        command_line,
        "rate(1 hour)",
        "--start",
        "2026-01-01T00:17:00Z",
        "--after",
        "2026-01-05T10:00:00Z",
        "--count",
        "1",
    )
    assert times[0]["utc"] == "2026-01-05T10:17:00+00:00"


def test_preview_of_a_rate_without_a_start_says_what_it_counts_from(command_line: CommandLine) -> None:
    said = "A rate counts from its start date"
    assert said in command_line.run("schedule", "preview", "rate(1 hour)").stdout
    assert said not in command_line.run("schedule", "preview", "rate(1 hour)", "--start", "2026-01-01T00:17:00Z").stdout
    assert said not in command_line.run("schedule", "preview", "0 3 * * ? *").stdout


def test_preview_ends_at_the_end(command_line: CommandLine) -> None:
    times = preview(command_line, "0 3 * * ? *", "--after", "2026-01-01T00:00:00Z", "--end", "2026-01-02T03:00:00Z")
    assert [time["utc"][:10] for time in times] == ["2026-01-01", "2026-01-02"]


def test_preview_of_what_is_over_says_so(command_line: CommandLine) -> None:
    result = command_line.run("schedule", "preview", "at(2020-01-01T00:00:00)")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "It does not fire any more.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rate(1 minutes_)"], "EXPR: "),
        (["rate(2 weeks)"], "rate(14 days)"),
        (["0 3 * * *"], "has 5 fields"),
        (["@daily"], "write cron(0 0 * * ? *)"),
        ([""], "EXPR: "),
        (["cron(" + "0 " * 500_000], "EXPR: has "),
        (["rate(5 minutes)", "--timezone", "CET+1"], "--timezone: "),
        (["rate(5 minutes)", "--timezone", "../etc/passwd"], "--timezone: "),
        (["rate(5 minutes)", "--timezone", "europe/berlin"], "Europe/Berlin"),
        (["rate(5 minutes)", "--start", "2026-01-01T00:00:00"], "--start: "),
        (["rate(5 minutes)", "--end", "tomorrow"], "--end: "),
        (["rate(5 minutes)", "--after", ""], "--after: "),
        (["rate(5 minutes)", "--start", "2030-01-01T00:00Z", "--end", "2030-01-01T01:00+01:00"], "--end: is not after"),
        (["rate(5 minutes)", "--count", "0"], "--count"),
        (["rate(5 minutes)", "--count", "1000000000"], "--count"),
        ([], "EXPR"),
    ],
)
def test_preview_refuses_what_is_wrong_in_one_line(command_line: CommandLine, arguments: list[str], said: str) -> None:
    result = command_line.run("schedule", "preview", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert said in line


def test_preview_tells_every_problem_with_its_option(command_line: CommandLine) -> None:
    document = command_line.json(
        "schedule", "preview", "cron(x)", "--timezone", "Mars/Base", "--start", "a", "--end", "b", "--after", "c"
    )
    assert document["exit_code"] == 2
    assert [problem["field"] for problem in document["problems"]] == [
        "--timezone",
        "EXPR",
        "--start",
        "--end",
        "--after",
    ]


def test_preview_escapes_what_a_terminal_would_obey(command_line: CommandLine) -> None:
    result = command_line.run("schedule", "preview", "rate(5 \x1b[31mminutes)", "--timezone", "\x1b]0;x\x07")
    assert result.exit_code == 2
    assert "\x1b" not in result.stderr
    assert "\x07" not in result.stderr


def test_preview_needs_no_stack(command_line: CommandLine) -> None:
    preview(command_line, "rate(5 minutes)")
    assert command_line.settings._connection is None


# put


def test_put_creates_a_schedule_and_shows_its_next_times(command_line: CommandLine) -> None:
    document = put(command_line, "--cron", "0 3 * * ? *", *BERLIN)
    assert (document["exit_code"], document["problems"]) == (0, [])
    result = document["result"]
    assert (result["outcome"], result["written"], result["arn"][-8:]) == ("created", True, "/nightly")
    assert [time["time"] for time in result["next"]] == [f"2026-03-{day}T03:00:00+01:00" for day in (15, 16, 17)]
    made = of_schedule(command_line)
    assert (made["ScheduleExpression"], made["ScheduleExpressionTimezone"]) == ("cron(0 3 * * ? *)", "Europe/Berlin")
    assert made["Target"]["Arn"] == TRAIN


def test_put_tells_what_it_did_in_a_few_lines(command_line: CommandLine) -> None:
    lines = command_line.run(*PUT, "--cron", "0 3 * * ? *").stdout.splitlines()
    assert lines[0] == "nightly created."
    assert lines[-1] == "Tue  2026-03-17 03:00"
    assert "schedule/pipeline-triggers/nightly" in lines[1]


@pytest.mark.parametrize(
    ("time", "expression"),
    [
        (("--rate", "6 hours"), "rate(6 hours)"),
        (("--rate", "rate(6 hours)"), "rate(6 hours)"),
        (("--rate", "2 weeks"), "rate(14 days)"),
        (("--cron", "0 3 * * ? *"), "cron(0 3 * * ? *)"),
        (("--cron", "cron(0 3 * * ? *)"), "cron(0 3 * * ? *)"),
        (("--at", "2030-01-31T08:00:00"), "at(2030-01-31T08:00:00)"),
        (("--at", "at(2030-01-31T08:00:00)"), "at(2030-01-31T08:00:00)"),
        (("--expression", "rate(1 day)"), "rate(1 day)"),
    ],
)
def test_when_it_fires_may_be_written_short_or_as_scheduler_does(
    command_line: CommandLine, time: tuple[str, str], expression: str
) -> None:
    assert put(command_line, *time)["exit_code"] == 0
    assert of_schedule(command_line)["ScheduleExpression"] == expression


def test_every_option_of_put_arrives(command_line: CommandLine) -> None:
    document = put(
        command_line, "--rate", "1 day", "--start", "2026-04-01T00:00:00Z", "--end", "2026-05-01T00:00:00Z",
        "--parameter", "Rows=7", "--parameter", "Note=a=b", "--description", "each day", "--disabled",
        "--flexible-minutes", "15", "--delete-after-run", "--role-arn", "arn:aws:iam::210987654321:role/mine",
        "--group", "team", "--dlq-arn", "arn:aws:sqs:eu-central-1:210987654321:mine", "--max-age-seconds", "120",
        "--max-attempts", "3", "--kms-key-arn", "arn:aws:kms:eu-central-1:210987654321:key/abc",
    )  # fmt: skip
    assert document["problems"] == []
    made = of_schedule(command_line, "nightly", "team")
    parameters = made["Target"].pop("SageMakerPipelineParameters")["PipelineParameterList"]
    assert {each["Name"]: each["Value"] for each in parameters} == {"Rows": "7", "Note": "a=b"}
    assert made["Target"] == {
        "Arn": TRAIN,
        "RoleArn": "arn:aws:iam::210987654321:role/mine",
        "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-central-1:210987654321:mine"},
        "RetryPolicy": {"MaximumEventAgeInSeconds": 120, "MaximumRetryAttempts": 3},
    }
    assert made["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert (made["State"], made["ActionAfterCompletion"], made["Description"]) == ("DISABLED", "DELETE", "each day")
    assert made["KmsKeyArn"].endswith("key/abc")
    assert (made["StartDate"][:10], made["EndDate"][:10]) == ("2026-04-01", "2026-05-01")


def test_put_keeps_what_is_not_mentioned(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day", "--description", "each day", "--disabled", "--parameter", "Rows=7", *BERLIN)
    changed = put(command_line, "--rate", "2 days")
    assert changed["result"]["outcome"] == "updated"
    made = of_schedule(command_line)
    assert (made["State"], made["Description"], made["ScheduleExpression"]) == ("DISABLED", "each day", "rate(2 days)")
    assert made["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert parameters_in(command_line) == {"Rows": "7"}


def test_parameters_are_added_to_those_that_are_there(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day", "--parameter", "Rows=7")
    put(command_line, "--rate", "1 day", "--parameter", "Note=x")
    assert parameters_in(command_line) == {"Rows": "7", "Note": "x"}


def test_a_parameter_is_taken_away_only_when_that_is_said(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day", "--parameter", "Rows=7", "--parameter", "Note=x")
    put(command_line, "--rate", "1 day", "--parameter", "Rows=8", "--remove-parameter", "Note")
    assert parameters_in(command_line) == {"Rows": "8"}


def test_the_next_times_of_a_rate_that_stays_as_it_is_go_on_in_its_rhythm(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day")
    command_line.schedules.clock.advance(hours=30)
    again = put(command_line, "--rate", "1 day")
    assert again["result"]["outcome"] == "same"
    assert again["result"]["next"][0]["utc"] == "2026-03-16T12:00:00+00:00"


def test_a_time_with_an_offset_is_that_moment_whatever_the_zone_of_the_schedule_is(command_line: CommandLine) -> None:
    put(command_line, "--cron", "0 3 * * ? *", *BERLIN)
    document = put(command_line, "--at", "2030-01-31T08:00:00+09:00")
    assert [time["utc"] for time in document["result"]["next"]] == ["2030-01-30T23:00:00+00:00"]
    again = put(command_line, "--at", "2030-01-31T08:00:00+09:00", *BERLIN)
    assert [time["utc"] for time in again["result"]["next"]] == ["2030-01-30T23:00:00+00:00"]
    assert of_schedule(command_line)["ScheduleExpression"] == "at(2030-01-31T00:00:00)"


def test_what_could_not_be_checked_is_warned_about(command_line: CommandLine) -> None:
    command_line.pipelines.fail("describe", TransientError("denied-yet", "no sagemaker:DescribePipeline"))
    document = put(command_line, "--rate", "1 day")
    assert (document["exit_code"], document["result"]["outcome"]) == (0, "created")
    assert [warning["field"] for warning in document["warnings"]] == ["nightly"]


def test_put_of_the_same_writes_nothing(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day")
    again = put(command_line, "--rate", "1 day")
    assert (again["result"]["outcome"], again["result"]["written"]) == ("same", False)
    assert len(again["result"]["next"]) == 3
    assert command_line.schedules.called("update") == []
    assert "nothing to change" in command_line.run(*PUT, "--rate", "1 day").stdout


def test_put_can_disable_and_enable(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day", "--disabled")
    assert "It is disabled" in command_line.run(*PUT, "--rate", "1 day").stdout
    put(command_line, "--rate", "1 day", "--enabled")
    assert of_schedule(command_line)["State"] == "ENABLED"


def test_a_dry_run_of_a_new_schedule_writes_nothing_and_shows_its_times(command_line: CommandLine) -> None:
    document = put(command_line, "--cron", "0 3 * * ? *", *BERLIN, "--dry-run")
    assert (document["result"]["outcome"], document["result"]["written"]) == ("created", False)
    assert document["result"]["next"][0]["time"] == "2026-03-15T03:00:00+01:00"
    assert command_line.schedules.names == set()
    assert "nightly would be created." in command_line.run(*PUT, "--rate", "1 day", "--dry-run").stdout


def test_a_dry_run_of_a_change_shows_the_times_in_the_zone_that_stays(command_line: CommandLine) -> None:
    put(command_line, "--cron", "0 3 * * ? *", *BERLIN)
    document = put(command_line, "--cron", "0 4 * * ? *", "--dry-run")
    assert (document["result"]["outcome"], document["result"]["written"]) == ("updated", False)
    assert document["result"]["next"][0]["time"] == "2026-03-15T04:00:00+01:00"
    assert of_schedule(command_line)["ScheduleExpression"] == "cron(0 3 * * ? *)"


def test_a_dry_run_of_a_replacement_takes_nothing_from_what_is_there(command_line: CommandLine) -> None:
    zone = {"ScheduleExpressionTimezone": "Europe/Berlin", "State": "DISABLED"}
    command_line.schedules.add("nightly", f"{TRAIN}-other", group=GROUP, **zone)
    document = put(command_line, "--cron", "0 4 * * ? *", "--replace", "--dry-run")
    assert document["result"]["next"][0]["time"] == "2026-03-15T04:00:00+00:00"


def test_a_schedule_that_starts_something_else_is_left_alone_without_replace(command_line: CommandLine) -> None:
    command_line.schedules.add("nightly", f"{TRAIN}-other", group=GROUP)
    refused = put(command_line, "--rate", "1 day")
    assert refused["exit_code"] != 0
    assert refused["problems"]
    assert of_schedule(command_line)["Target"]["Arn"] == f"{TRAIN}-other"
    assert put(command_line, "--rate", "1 day", "--replace")["result"]["outcome"] == "updated"
    assert of_schedule(command_line)["Target"]["Arn"] == TRAIN


def test_what_the_service_refuses_is_told_with_the_name(command_line: CommandLine) -> None:
    command_line.schedules.fail("create", PermanentError("access-denied", "no scheduler:CreateSchedule"))
    document = put(command_line, "--rate", "1 day")
    assert (document["exit_code"], document["result"]["outcome"]) == (1, "failed")
    (problem,) = document["problems"]
    assert problem["field"] == "nightly"
    assert "no scheduler:CreateSchedule" in problem["reason"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (["--cron", "0 3 * * * *"], "--cron"),
        (["--rate", "1 fortnight"], "--rate"),
        (["--at", "tomorrow"], "--at"),
        (["--at", "2020-01-01T00:00:00"], "--at"),
        (["--expression", "every day"], "--expression"),
        (["--rate", "1 day", "--timezone", "Mars/Base"], "--timezone"),
        (["--rate", "1 day", "--start", "2030-01-01"], "--start"),
        (["--rate", "1 day", "--end", "2020-01-01T00:00:00Z"], "--end"),
        (["--rate", "1 day", "--start", "2030-01-02T00:00Z", "--end", "2030-01-01T00:00Z"], "--end"),
        (["--rate", "1 day", "--parameter", "Rows"], "--parameter"),
        (["--rate", "1 day", "--parameter", "=7"], "--parameter"),
        (["--rate", "1 day", "--parameter", "Rows=1", "--parameter", "Rows=2"], "--parameter"),
        (["--rate", "1 day", "--parameter", "Rows=$.detail.rows"], "--parameter Rows"),
        (["--rate", "1 day", "--parameter", "Rows="], "--parameter Rows"),
        (["--rate", "1 day", "--parameter", "Rows=many"], "--parameter Rows"),
        (["--rate", "1 day", "--parameter", "Unknown=1"], "--parameter Unknown"),
        (["--rate", "1 day", "--parameter", "Rows=1", "--remove-parameter", "Rows"], "--remove-parameter"),
        (["--rate", "1 day", "--role-arn", "admin"], "--role-arn"),
        (["--rate", "1 day", "--group", "a/b"], "--group"),
        (["--rate", "1 day", "--dlq-arn", "queue"], "--dlq-arn"),
        (["--rate", "1 day", "--flexible-minutes", "1441"], "--flexible-minutes"),
        (["--rate", "1 day", "--max-age-seconds", "59"], "--max-age-seconds"),
        (["--rate", "1 day", "--max-attempts", "-1"], "--max-attempts"),
        (["--rate", "1 day", "--kms-key-arn", "key"], "--kms-key-arn"),
        (["--rate", "1 day", "--description", "d" * 513], "--description"),
        (["--rate", "1 day", "--cron", "0 3 * * ? *"], ""),
        (["--rate", "rate(1 day)", "--cron", "cron(0 3 * * ? *)"], ""),
        ([], ""),
    ],
)
def test_put_refuses_what_is_wrong_by_its_option(command_line: CommandLine, options: list[str], field: str) -> None:
    document = put(command_line, *options)
    assert (document["exit_code"], [problem["field"] for problem in document["problems"]]) == (2, [field])
    assert command_line.schedules.names == set()


def test_put_tells_every_problem_at_once(command_line: CommandLine) -> None:
    result = command_line.run(
        "schedule", "put", "a b", "--pipeline", "churn_train", "--cron", "x", "--timezone", "y", "--parameter", "z",
        "--max-attempts", "999",
    )  # fmt: skip
    assert result.exit_code == 2
    fields = [line.partition(":")[0] for line in result.stderr.splitlines()]
    assert sorted(fields) == sorted(["--parameter", "--timezone", "--cron", "--pipeline", "NAME", "--max-attempts"])


@pytest.mark.parametrize("options", [[], ["--pipeline", "churn-train", "--max-attempts", "many"]])
def test_a_wrong_command_line_of_put_is_told_in_one_line(command_line: CommandLine, options: list[str]) -> None:
    result = command_line.run("schedule", "put", "nightly", *options)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)


# describe and list


def test_describe_shows_everything(command_line: CommandLine) -> None:
    put(command_line, "--cron", "0 3 * * ? *", *BERLIN, "--parameter", "Rows=7")
    result = command_line.json("schedule", "describe", "nightly")["result"]
    assert result["schedule"]["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert result["starts"] == {"kind": "pipeline", "name": TRAIN}
    assert result["parameters"] == {"Rows": "7"}
    assert [time["utc"] for time in result["next"]][:1] == ["2026-03-15T02:00:00+00:00"]
    stdout = command_line.run("schedule", "describe", "nightly").stdout
    assert "Sun  2026-03-15 03:00 +01:00  2026-03-15 02:00" in stdout


def test_a_schedule_that_is_not_there_is_told(command_line: CommandLine) -> None:
    result = command_line.run("schedule", "describe", "nothing", "--group", "team")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "there is no schedule nothing in the group team\n"


def test_list_has_the_schedules_of_the_stacks_group(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day")
    command_line.schedules.add("elsewhere", TRAIN, group="team")
    (listed,) = command_line.json("schedule", "list")["result"]
    assert (listed["name"], listed["group"], listed["starts"]["name"]) == ("nightly", GROUP, TRAIN)
    assert "1 schedule in the group pipeline-triggers" in command_line.run("schedule", "list").stdout


def test_list_of_another_group(command_line: CommandLine) -> None:
    command_line.schedules.add("elsewhere", TRAIN, group="team")
    assert [each["name"] for each in command_line.json("schedule", "list", "--group", "team")["result"]] == [
        "elsewhere"
    ]


def test_list_of_a_pipeline_looks_into_all_groups(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day")
    command_line.schedules.add("elsewhere", TRAIN.lower(), group="team")
    command_line.schedules.add("other", f"{TRAIN}-2", group="team")
    found = command_line.json("schedule", "list", "--pipeline", "churn-train")["result"]
    assert {(each["group"], each["name"]) for each in found} == {(GROUP, "nightly"), ("team", "elsewhere")}
    inside = command_line.json("schedule", "list", "--pipeline", TRAIN, "--group", "team")["result"]
    assert [each["name"] for each in inside] == ["elsewhere"]
    stdout = command_line.run("schedule", "list", "--pipeline", "churn-train").stdout
    assert stdout.startswith("2 schedules of the pipeline churn-train\n")
    assert "group" in stdout.splitlines()[1]


def test_an_empty_list_says_so(command_line: CommandLine) -> None:
    assert command_line.run("schedule", "list").stdout == "0 schedules in the group pipeline-triggers\n"


def test_list_refuses_what_is_no_pipeline(command_line: CommandLine) -> None:
    result = command_line.run("schedule", "list", "--pipeline", "churn_train")
    assert result.exit_code == 2
    assert result.stderr.startswith("--pipeline: ")


# enable, disable and delete


def test_schedules_are_disabled_and_enabled(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day")
    document = command_line.json("schedule", "disable", "nightly")
    assert [(each["outcome"], each["state"]) for each in document["result"]] == [("updated", "DISABLED")]
    assert of_schedule(command_line)["State"] == "DISABLED"
    assert "DISABLED already" in command_line.run("schedule", "disable", "nightly").stdout
    command_line.run("schedule", "enable", "nightly")
    assert of_schedule(command_line)["State"] == "ENABLED"


def test_a_missing_schedule_does_not_keep_the_others_from_being_disabled(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day")
    result = command_line.run("schedule", "disable", "nothing", "nightly")
    assert result.exit_code == 1
    assert result.stderr.startswith("nothing: ")
    assert of_schedule(command_line)["State"] == "DISABLED"


def test_delete_with_yes_deletes(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day")
    document = command_line.json("schedule", "delete", "nightly", "--yes")
    assert [each["outcome"] for each in document["result"]] == ["deleted"]
    assert command_line.schedules.names == set()


def test_delete_of_what_is_not_there_is_told(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day")
    result = command_line.run("schedule", "delete", "nothing", "nightly", "--yes")
    assert result.exit_code == 1
    assert result.stderr == "nothing: there is no such schedule in the group pipeline-triggers\n"
    assert command_line.schedules.names == set()


def test_delete_shows_what_would_go_and_asks(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day")
    command_line.interactive = True
    result = command_line.run("schedule", "delete", "nightly", input="n\n")
    assert result.exit_code == 1
    assert "rate(1 day)" in result.stderr
    assert "Delete this schedule? [y/N]" in result.stderr
    assert result.stderr.endswith("not approved: nothing was deleted\n")
    assert command_line.schedules.names == {"nightly"}
    assert command_line.run("schedule", "delete", "nightly", input="y\n").exit_code == 0
    assert command_line.schedules.names == set()


def test_delete_does_not_go_on_when_nobody_can_be_asked(command_line: CommandLine) -> None:
    put(command_line, "--rate", "1 day")
    result = command_line.run("schedule", "delete", "nightly")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert command_line.schedules.names == {"nightly"}


# all of them


@pytest.mark.parametrize("name", ["preview", "put", "describe", "list", "enable", "disable", "delete"])
def test_every_command_of_schedules_has_its_help(command_line: CommandLine, name: str) -> None:
    result = command_line.run("schedule", name, "--help")
    assert result.exit_code == 0
    assert f"Usage: pipeline-triggers schedule {name}" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_without_the_stack_a_command_fails_in_one_line(command_line: CommandLine) -> None:
    command_line.delivered = NotFoundError("there is no stack pipeline-triggers in this account and Region")
    result = command_line.run("schedule", "list")
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
