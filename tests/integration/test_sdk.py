"""The Python API against the deployed stack on the embedded AWS."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from pipeline_triggers.errors import InvalidInputError, NotFoundError
from pipeline_triggers.local.stage import Stage
from pipeline_triggers.sdk import PipelineEventTrigger, PipelineSchedule, PipelineTriggers

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SCHEDULES = "arn:aws:scheduler:us-east-1:123456789012:schedule"
URI = {"InputUri": "s3://raw-data/in/1.csv"}


@pytest.fixture(scope="module")
def triggers() -> Iterator[PipelineTriggers]:
    """The triggers of the deployed stack, by a session as a notebook has one; no function runs."""
    with Stage(ROOT / "template.yaml", port=0, poll=False) as stage:
        stage.furnish()
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        yield PipelineTriggers("local", endpoint_url=stage.aws.url, session=session)


def test_triggers_are_put_described_listed_switched_and_deleted(triggers: PipelineTriggers) -> None:
    put = [
        PipelineSchedule("nightly", cron="0 3 * * ? *", timezone="Europe/Berlin", parameters=URI),
        PipelineEventTrigger("on-upload", {"source": ["aws.s3"]}, {"InputUri": "$.detail.object.key"}),
        PipelineSchedule("once", at=datetime(2040, 12, 13, 10, 15, 20), parameters=URI, delete_after_run=True),
    ]
    arns = triggers.put_triggers("churn-train", put)
    assert arns == [
        f"{SCHEDULES}/local/nightly",
        "arn:aws:pipeline-triggers:us-east-1:123456789012:local/trigger/on-upload",
        f"{SCHEDULES}/local/once",
    ]
    assert triggers.put_triggers("churn-train", put) == arns

    nightly = triggers.describe_trigger("nightly")
    assert (nightly["Schedule_Timezone"], nightly["Schedule_Parameters"]) == ("Europe/Berlin", URI)
    assert nightly["Schedule_Dead_Letter_Queue"].endswith("undelivered")
    assert all(time[10:16] == "T03:00" for time in nightly["Schedule_Next_Times"])
    assert triggers.describe_trigger("once")["Schedule_Next_Times"] == ["2040-12-13T10:15:00+00:00"]

    listed = [each["Trigger_Name"] for each in triggers.list_triggers("churn-train")]
    assert set(listed) == {"churn-weekly", "nightly", "once", "on-upload"}

    triggers.disable_trigger("nightly")
    triggers.disable_trigger("on-upload")
    assert triggers.describe_trigger("nightly")["Schedule_State"] == "DISABLED"
    assert triggers.describe_trigger("on-upload")["Trigger_State"] == "DISABLED"

    results = triggers.delete_triggers(["nightly", "on-upload", "once", "never"], pipeline="churn-train")
    assert [result.outcome for result in results] == ["deleted", "deleted", "deleted", "missing"]
    with pytest.raises(NotFoundError):
        triggers.describe_trigger("nightly")


def test_what_the_pipeline_would_refuse_is_refused(triggers: PipelineTriggers) -> None:
    lacking = PipelineSchedule("lacking", rate=(1, "day"), parameters={"Nothing": 1})
    with pytest.raises(InvalidInputError) as raised:
        triggers.put_triggers("churn-train", [lacking])
    fields = {problem.field for problem in raised.value.problems}
    assert fields == {"lacking.parameters.Nothing", "lacking.parameters.InputUri"}
    with pytest.raises(InvalidInputError, match="there is no pipeline"):
        triggers.put_triggers("no-such-pipeline", [PipelineSchedule(rate=(1, "day"))])
