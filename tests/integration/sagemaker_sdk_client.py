"""What somebody does with the SageMaker SDK's own objects: run by test_sagemaker_sdk in the SDK's environment.

Its environment variables lead to the embedded AWS, as AWS's own tools read them. Prints what it saw as JSON.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pipeline_triggers.errors import InvalidInputError
from pipeline_triggers.sdk import PipelineEventTrigger, PipelineSchedule, PipelineTriggers

try:  # version 3
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.mlops.workflow import PipelineSchedule as SageMakerSchedule
    from sagemaker.mlops.workflow.pipeline import Pipeline

    VERSION = 3
except ImportError:
    from sagemaker.session import Session
    from sagemaker.workflow.parameters import ParameterString
    from sagemaker.workflow.pipeline import Pipeline
    from sagemaker.workflow.triggers import PipelineSchedule as SageMakerSchedule

    VERSION = 2

ROLE = "arn:aws:iam::123456789012:role/scheduler"
URI = "s3://raw-data/in/1.csv"


def main() -> dict[str, Any]:
    """Put, describe, list and delete triggers of two pipelines."""
    session = Session()
    pipeline = Pipeline("churn-train", [ParameterString("InputUri", URI)], sagemaker_session=session)
    report = Pipeline("ChurnReport2", sagemaker_session=session)
    triggers = PipelineTriggers("local", session=session)
    uri = {"InputUri": URI}

    unnamed = SageMakerSchedule(rate=(2, "days"))
    theirs = [
        SageMakerSchedule(name="once", at=datetime(2040, 12, 13, 10, 15, 20)),
        SageMakerSchedule("by-cron", False, datetime(2039, 1, 1), cron="15 10 ? * 6L 2040-2042"),
        unnamed,
    ]
    put = triggers.put_triggers(report, theirs)
    mixed = [
        PipelineSchedule("nightly", cron="0 3 * * ? *", timezone="Europe/Berlin", parameters=uri),
        PipelineEventTrigger("on-upload", {"source": ["aws.s3"]}, {"InputUri": "$.detail.object.key"}),
    ]
    put += triggers.put_triggers(pipeline, mixed)

    # What the SDK makes itself, in the one group that it knows.
    own = SageMakerSchedule(name="own", rate=(3, "days"))
    own_arns = report.put_triggers([own], role_arn=ROLE)
    try:
        triggers.put_triggers(report, [own])
        doubled = "was doubled"
    except InvalidInputError as error:
        doubled = str(error)
    adopted = triggers.put_triggers(report, [own], group_name="default")

    return {
        "version": VERSION,
        "put": put,
        "unnamed": unnamed.name,
        "once": triggers.describe_trigger("once"),
        "by-cron": triggers.describe_trigger("by-cron"),
        "sdk_keys": sorted(report.describe_trigger(trigger_name="own")),
        "keys": sorted(triggers.describe_trigger("own", group_name="default")),
        "listed": sorted(each["Trigger_Name"] for each in triggers.list_triggers(report)),
        "own": own_arns,
        "doubled": doubled,
        "adopted": adopted,
        "deleted": [result.outcome for result in triggers.delete_triggers(["once", "nightly", "on-upload", "never"])],
    }


if __name__ == "__main__":
    print("SAW " + json.dumps(main()))  # noqa: T201 - the answer
