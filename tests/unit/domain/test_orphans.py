"""Whose schedule it is, when it may go, and how reports add up."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_triggers.domain.executions import Home
from pipeline_triggers.domain.orphans import GRACE, Failed, Kept, Orphan, Report, is_ripe, is_young, pipeline_at_home
from pipeline_triggers.domain.scheduler import Schedule
from pipeline_triggers.errors import MalformedEventError, PermanentError, TransientError
from tests.fakes.clock import NOON
from tests.fakes.pipelines import HOME

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn-train"
SECOND = timedelta(seconds=1)


def schedule(modified_at_minutes_before_noon: float) -> Schedule:
    at = NOON - timedelta(minutes=modified_at_minutes_before_noon)
    return Schedule("arn:schedule", "default", "nightly", ARN, at)


@pytest.mark.parametrize("arn", [ARN, ARN.replace("churn-train", "Churn-Train"), ARN.upper()])
def test_a_pipeline_at_home_is_known_by_its_casefolded_arn(arn: str) -> None:
    assert pipeline_at_home(arn, HOME) == ARN


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "churn-train",
        f" {ARN}",
        f"{ARN}\n",
        f"{ARN}/execution/abc",
        ARN.replace("churn-train", ""),
        ARN.replace("churn-train", "*"),
        ARN.replace("k", "\u212a"),
        ARN.replace("s", "\u017f"),
        ARN.replace("123456789012", "aws"),
        ARN.replace("sagemaker", "codepipeline"),
    ],
)
def test_what_is_no_pipeline_at_home_is_none(arn: str) -> None:
    assert pipeline_at_home(arn, HOME) is None


@pytest.mark.parametrize(
    "home",
    [
        Home("aws-cn", HOME.account, HOME.region),
        Home("aws", "210987654321", HOME.region),
        Home("aws", HOME.account, "x"),
    ],
)
def test_a_pipeline_of_another_home_is_none(home: Home) -> None:
    assert pipeline_at_home(ARN, home) is None


@given(st.text())
def test_only_a_whole_arn_of_home_counts(text: str) -> None:
    found = pipeline_at_home(text, HOME)
    assert found is None or (found == text.casefold() and found.startswith(ARN.removesuffix("churn-train")))


def test_young_is_what_was_made_or_changed_within_the_grace() -> None:
    assert is_young(schedule(14.9), NOON)
    assert is_young(schedule(-1), NOON), "a clock that is behind makes it younger"
    assert not is_young(schedule(15), NOON)


def test_ripe_is_what_was_seen_before_unchanged_a_grace_ago() -> None:
    def seen(at: datetime, changed_minutes_ago: float = 600) -> Orphan:
        return Orphan.of_schedule(schedule(changed_minutes_ago), (ARN,), at)

    assert not is_ripe(seen(NOON), NOON)
    assert not is_ripe(seen(NOON - GRACE + SECOND), NOON)
    assert is_ripe(seen(NOON - GRACE), NOON)
    assert is_ripe(Orphan("rule#1", (ARN,), NOON - GRACE), NOON), "targets of rules have no time of a change"
    assert not is_ripe(seen(NOON - timedelta(minutes=30), 20), NOON), "changed since it was seen"


def test_reports_are_joined_in_order() -> None:
    first = Report(deleted=("a",), kept=(Kept("b", "too-young"),))
    second = Report(deleted=("c",), failed=(Failed("d", TransientError("throttled", "")),))
    assert Report.joined([first, second]).to_document() == {
        "deleted": ["a", "c"],
        "kept": [{"arn": "b", "reason": "too-young"}],
        "failed": [{"arn": "d", "reason": "throttled"}],
    }


def test_failures_are_told_apart_by_whether_they_pass() -> None:
    transient = Failed("a", TransientError("throttled", ""))
    permanent = Failed("b", PermanentError("access-denied", ""))
    malformed = Failed("", MalformedEventError("no JSON"))
    report = Report(failed=(transient, permanent, malformed))
    assert report.to_retry == (transient,)
    assert report.final == (permanent, malformed)
