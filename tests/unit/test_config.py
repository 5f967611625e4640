"""The settings of the functions."""

from __future__ import annotations

import pytest

from pipeline_triggers.config import CleanupSettings, Settings
from pipeline_triggers.domain.cleanup_policy import Policy
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.errors import ConfigurationError

COMPLETE = {
    "TRIGGERS_TABLE": "stack-triggers",
    "LEDGER_TABLE": "stack-ledger",
    "QUARANTINE_TABLE": "stack-quarantine",
    "HOME_PARTITION": "aws",
    "HOME_ACCOUNT": "123456789012",
    "AWS_REGION": "eu-central-1",
}
TOPICS = "arn:aws:sns:eu-central-1:123456789012:uploads, arn:aws:sns:eu-central-1:123456789012:alarms.fifo"


def test_what_is_required_is_enough() -> None:
    assert Settings.from_env(COMPLETE) == Settings(
        triggers_table="stack-triggers",
        ledger_table="stack-ledger",
        quarantine_table="stack-quarantine",
        home=Home("aws", "123456789012", "eu-central-1"),
        start_interval=1.0,
        max_starts_per_hour=1000,
        trusted_topic_arns=frozenset(),
        endpoint_url=None,
    )


def test_everything_can_be_set() -> None:
    settings = Settings.from_env(
        COMPLETE
        | {
            "START_INTERVAL_SECONDS": "0.25",
            "MAX_STARTS_PER_HOUR": "60",
            "TRUSTED_TOPIC_ARNS": TOPICS,
            "AWS_ENDPOINT_URL": "http://localhost:4555",
        }
    )
    assert (settings.start_interval, settings.max_starts_per_hour) == (0.25, 60)
    assert settings.trusted_topic_arns == frozenset(TOPICS.split(", "))
    assert settings.endpoint_url == "http://localhost:4555"


def test_empty_variables_count_as_not_set() -> None:
    optional = ("START_INTERVAL_SECONDS", "MAX_STARTS_PER_HOUR", "TRUSTED_TOPIC_ARNS", "AWS_ENDPOINT_URL")
    assert Settings.from_env(COMPLETE | dict.fromkeys(optional, "")) == Settings.from_env(COMPLETE)


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("missing", ["absent", "empty"])
def test_a_missing_variable_is_named_with_the_remedy(name: str, missing: str) -> None:
    environment = {key: value for key, value in COMPLETE.items() if key != name}
    with pytest.raises(ConfigurationError, match=rf"{name} is not set: set it to "):
        Settings.from_env(environment if missing == "absent" else environment | {name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOME_PARTITION", "azure"),
        ("HOME_ACCOUNT", "12345"),
        ("HOME_ACCOUNT", "١٢٣٤٥٦٧٨٩٠١٢"),
        ("AWS_REGION", "mars"),
        ("START_INTERVAL_SECONDS", "soon"),
        ("START_INTERVAL_SECONDS", "-1"),
        ("START_INTERVAL_SECONDS", "nan"),
        ("START_INTERVAL_SECONDS", "inf"),
        ("START_INTERVAL_SECONDS", "61"),
        ("MAX_STARTS_PER_HOUR", "0"),
        ("MAX_STARTS_PER_HOUR", "-5"),
        ("MAX_STARTS_PER_HOUR", "1.5"),
        ("MAX_STARTS_PER_HOUR", "²"),
        ("MAX_STARTS_PER_HOUR", "9" * 5000),
        ("TRUSTED_TOPIC_ARNS", "uploads"),
        ("TRUSTED_TOPIC_ARNS", "arn:aws:sns:eu-central-1:123456789012:*"),
        ("AWS_ENDPOINT_URL", "localhost:4555"),
    ],
)
def test_a_wrong_value_is_named_with_the_remedy(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{name} is .*: set it to "):
        Settings.from_env(COMPLETE | {name: value})


def test_one_wrong_topic_among_good_ones_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'typo'"):
        Settings.from_env(COMPLETE | {"TRUSTED_TOPIC_ARNS": f"{TOPICS},typo"})


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_every_partition_is_a_home(partition: str) -> None:
    assert Settings.from_env(COMPLETE | {"HOME_PARTITION": partition}).home.partition == partition


def test_sam_local_without_an_endpoint_does_not_touch_real_aws() -> None:
    for endpoint in ({}, {"AWS_ENDPOINT_URL": ""}):
        with pytest.raises(ConfigurationError, match="PIPELINE_TRIGGERS_ALLOW_AWS"):
            Settings.from_env(COMPLETE | {"AWS_SAM_LOCAL": "true"} | endpoint)


@pytest.mark.parametrize(
    "allowed",
    [{"AWS_ENDPOINT_URL": "http://host.docker.internal:4555"}, {"PIPELINE_TRIGGERS_ALLOW_AWS": "true"}],
)
def test_sam_local_runs_with_an_endpoint_or_when_it_is_told_to(allowed: dict[str, str]) -> None:
    assert Settings.from_env(COMPLETE | {"AWS_SAM_LOCAL": "true"} | allowed)


CLEANUP = {
    **{name: COMPLETE[name] for name in ("TRIGGERS_TABLE", "QUARANTINE_TABLE", "HOME_PARTITION", "HOME_ACCOUNT")},
    "AWS_REGION": COMPLETE["AWS_REGION"],
    "CLEANUP_TABLE": "stack-cleanup",
    "SCHEDULE_GROUP": "stack",
}


def test_the_clean_up_needs_its_own_table_that_of_the_triggers_and_the_quarantine() -> None:
    assert CleanupSettings.from_env(CLEANUP) == CleanupSettings(
        cleanup_table="stack-cleanup",
        triggers_table="stack-triggers",
        quarantine_table="stack-quarantine",
        schedule_group="stack",
        home=Home("aws", "123456789012", "eu-central-1"),
        policy=Policy(mode="delete", max_deletes=200, max_share=50, protected=(), rule_targets="report"),
        endpoint_url=None,
    )


def test_everything_of_the_clean_up_can_be_set() -> None:
    given = {
        "CLEANUP_MODE": "report",
        "CLEANUP_RULES": "remove",
        "MAX_DELETES": "7",
        "MAX_DELETE_SHARE": "100",
        "PROTECTED_SCHEDULES": "default/nightly-*, prod/* ,",
        "AWS_ENDPOINT_URL": "http://localhost:4555",
    }
    settings = CleanupSettings.from_env(CLEANUP | given)
    assert settings.policy == Policy("report", 7, 100, ("default/nightly-*", "prod/*"), "remove")
    assert settings.endpoint_url == "http://localhost:4555"
    assert CleanupSettings.from_env(CLEANUP | dict.fromkeys(given, "")) == CleanupSettings.from_env(CLEANUP)


@pytest.mark.parametrize("name", CLEANUP)
def test_a_missing_variable_of_the_clean_up_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{name} is not set: set it to "):
        CleanupSettings.from_env({key: value for key, value in CLEANUP.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLEANUP_MODE", "off"),
        ("CLEANUP_MODE", "Delete"),
        ("CLEANUP_RULES", "delete"),
        ("MAX_DELETES", "0"),
        ("MAX_DELETES", "x"),
        ("MAX_DELETE_SHARE", "0"),
        ("MAX_DELETE_SHARE", "101"),
        ("PROTECTED_SCHEDULES", "nightly"),
    ],
)
def test_a_wrong_variable_of_the_clean_up_is_named_with_what_it_may_be(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{name} is '{value}': set it to "):
        CleanupSettings.from_env(CLEANUP | {name: value})


def test_under_sam_local_the_clean_up_refuses_real_aws_unless_told_to() -> None:
    with pytest.raises(ConfigurationError, match="would call the real AWS account"):
        CleanupSettings.from_env(CLEANUP | {"AWS_SAM_LOCAL": "true"})
    allowed = {"AWS_SAM_LOCAL": "true", "PIPELINE_TRIGGERS_ALLOW_AWS": "true"}
    assert CleanupSettings.from_env(CLEANUP | allowed).endpoint_url is None
