"""The settings of the Lambda functions, read from environment variables once and whole."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline_triggers.domain.cleanup_policy import NAME_PATTERN, Policy
from pipeline_triggers.domain.executions import Home
from pipeline_triggers.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_triggers.domain.cleanup_policy import RuleTargets
    from pipeline_triggers.domain.orphans import Mode

DEFAULT_START_INTERVAL_SECONDS = 1.0
DEFAULT_MAX_STARTS_PER_HOUR = 1000

_PARTITION = re.compile(r"aws(-[a-z]+)*")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+", re.ASCII)
_TOPIC_ARN = re.compile(r"arn:aws(-[a-z]+)*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the functions need to know of their stack.

    ``start_interval`` is the least time between two starts of one worker, in seconds; ``max_starts_per_hour`` the
    cap of triggers that have none of their own. ``endpoint_url`` is None on AWS.
    """

    triggers_table: str
    ledger_table: str
    quarantine_table: str
    home: Home
    start_interval: float = DEFAULT_START_INTERVAL_SECONDS
    max_starts_per_hour: int = DEFAULT_MAX_STARTS_PER_HOUR
    trusted_topic_arns: frozenset[str] = frozenset()
    endpoint_url: str | None = None

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """Read the variables that template.yaml sets; an empty one counts as not set.

        Raises ConfigurationError, which names the variable and the remedy, for one that is missing or wrong; and under
        ``sam local`` without an endpoint, which would start pipelines of a real account from a laptop.
        """
        return cls(
            endpoint_url=_endpoint_url(environment),
            triggers_table=_required(environment, "TRIGGERS_TABLE", "the name of the table of triggers"),
            ledger_table=_required(environment, "LEDGER_TABLE", "the name of the ledger's table"),
            quarantine_table=_required(environment, "QUARANTINE_TABLE", "the name of the quarantine's table"),
            home=_home(environment),
            start_interval=_seconds(environment, "START_INTERVAL_SECONDS", DEFAULT_START_INTERVAL_SECONDS),
            max_starts_per_hour=_count(environment, "MAX_STARTS_PER_HOUR", DEFAULT_MAX_STARTS_PER_HOUR),
            trusted_topic_arns=_topics(environment, "TRUSTED_TOPIC_ARNS"),
        )


@dataclass(frozen=True, slots=True)
class CleanupSettings:
    """What the clean-up function needs to know of its stack; ``schedule_group`` has the stack's name."""

    cleanup_table: str
    triggers_table: str
    quarantine_table: str
    schedule_group: str
    home: Home
    policy: Policy = field(default_factory=Policy)
    endpoint_url: str | None = None

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> CleanupSettings:
        """Read the variables that template.yaml sets; as ``Settings.from_env``."""
        return cls(
            endpoint_url=_endpoint_url(environment),
            cleanup_table=_required(environment, "CLEANUP_TABLE", "the name of the clean-up's table"),
            triggers_table=_required(environment, "TRIGGERS_TABLE", "the name of the table of triggers"),
            quarantine_table=_required(environment, "QUARANTINE_TABLE", "the name of the quarantine's table"),
            schedule_group=_required(environment, "SCHEDULE_GROUP", "the name of the stack's schedule group"),
            home=_home(environment),
            policy=cleanup_policy(environment),
        )


def cleanup_policy(environment: Mapping[str, str]) -> Policy:
    """What the clean-up may delete, as the variables say that template.yaml sets; an empty one counts as not set."""
    default = Policy()
    return Policy(
        mode=_mode(environment, "CLEANUP_MODE"),
        max_deletes=_count(environment, "MAX_DELETES", default.max_deletes),
        max_share=_percent(environment, "MAX_DELETE_SHARE", default.max_share),
        protected=_schedules(environment, "PROTECTED_SCHEDULES"),
        rule_targets=_rule_targets(environment, "CLEANUP_RULES"),
    )


def _endpoint_url(environment: Mapping[str, str]) -> str | None:
    endpoint_url = environment.get("AWS_ENDPOINT_URL") or None
    if endpoint_url is None:
        _refuse_real_aws_under_sam_local(environment)
    elif not endpoint_url.startswith(("http://", "https://")):
        raise _wrong("AWS_ENDPOINT_URL", endpoint_url, "a URL such as http://localhost:4555, or nothing")
    return endpoint_url


def _home(environment: Mapping[str, str]) -> Home:
    return Home(
        partition=_matching(environment, "HOME_PARTITION", _PARTITION, "the AWS partition, such as aws"),
        account=_matching(environment, "HOME_ACCOUNT", _ACCOUNT, "the account of the stack: 12 digits"),
        region=_matching(environment, "AWS_REGION", _REGION, "the Region of the stack, such as eu-central-1"),
    )


def _mode(environment: Mapping[str, str], name: str) -> Mode:
    match environment.get(name) or "delete":
        case "delete":
            return "delete"
        case "report":
            return "report"
        case other:
            raise _wrong(name, other, "delete, or report to delete nothing")


def _rule_targets(environment: Mapping[str, str], name: str) -> RuleTargets:
    match environment.get(name) or "report":
        case "report":
            return "report"
        case "remove":
            return "remove"
        case other:
            raise _wrong(name, other, "report, or remove to take targets from rules whose pipeline is gone")


def _refuse_real_aws_under_sam_local(environment: Mapping[str, str]) -> None:
    local = environment.get("AWS_SAM_LOCAL") == "true"
    if local and environment.get("PIPELINE_TRIGGERS_ALLOW_AWS") != "true":
        raise ConfigurationError(
            "sam local without AWS_ENDPOINT_URL would call the real AWS account: "
            "run `pipeline-triggers local up` and pass the parameter EndpointUrl, "
            "or set PIPELINE_TRIGGERS_ALLOW_AWS=true if the real account is meant",
        )


def _required(environment: Mapping[str, str], name: str, meaning: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ConfigurationError(f"{name} is not set: set it to {meaning} (template.yaml does)")
    return value


def _matching(environment: Mapping[str, str], name: str, form: re.Pattern[str], meaning: str) -> str:
    value = _required(environment, name, meaning)
    if not form.fullmatch(value):
        raise _wrong(name, value, meaning)
    return value


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 60:
        raise _wrong(name, text, "a number of seconds from 0 to 60, such as 0.5")
    return seconds


def _count(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text) >= 1):
        raise _wrong(name, text, "a whole number from 1 to 999999999")
    return int(text)


def _percent(environment: Mapping[str, str], name: str, default: int) -> int:
    percent = _count(environment, name, default)
    if percent > 100:
        raise _wrong(name, str(percent), "a whole number of percent, from 1 to 100")
    return percent


def _schedules(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    patterns = tuple(filter(None, (part.strip() for part in environment.get(name, "").split(","))))
    for pattern in patterns:
        if not NAME_PATTERN.fullmatch(pattern):
            raise _wrong(name, pattern, "group/name of schedules, such as default/nightly or prod-*/*, or nothing")
    return patterns


def _topics(environment: Mapping[str, str], name: str) -> frozenset[str]:
    topics = frozenset(filter(None, (part.strip() for part in environment.get(name, "").split(","))))
    for topic in sorted(topics):
        if not _TOPIC_ARN.fullmatch(topic):
            raise _wrong(name, topic, "ARNs of SNS topics, with commas between them, or nothing")
    return topics


def _wrong(name: str, value: str, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"{name} is {value!r}: set it to {wanted}")
