"""The examples at the end of each command's help: what is typed after ``pipeline-triggers``, by the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXAMPLES: Mapping[str, Sequence[str]] = {
    "": (
        "demo",
        "new s3-upload --name retrain --pipeline churn-train --file churn.yaml",
        "simulate events/s3-object-created.json --triggers churn.yaml",
        "apply churn.yaml",
    ),
    "new": (
        "new --list",
        "new alarm --name retrain-on-drift --pipeline churn-train --set churn --file churn.yaml",
    ),
    "lint": (
        "lint churn.yaml",
        "lint churn.yaml --live --region eu-west-1",
    ),
    "simulate": (
        "simulate events/s3-object-created.json --triggers churn.yaml",
        "simulate event.json --triggers churn.yaml --definition churn-train=definition.json",
        "simulate event.json --from-stack --live",
    ),
    "match": ("""match event.json --event-pattern '{"source": ["aws.s3"]}'""",),
    "apply": (
        "apply churn.yaml --dry-run",
        "apply churn.yaml --prune --live",
        "apply churn.yaml --yes --output json",
    ),
    "put": ("put retrain --event-pattern @pattern.json --pipeline churn-train --parameter Key=$.detail.object.key",),
    "rollback": ("rollback 12",),
    "graph": (
        "graph --file churn.yaml",
        "graph --format svg --out triggers.svg",
    ),
    "connect bucket": ("connect bucket raw-data --dry-run",),
    "connect topic": ("connect topic arn:aws:sns:eu-west-1:123456789012:uploads",),
    "import": (
        "import --pipeline churn-train",
        "import --set churn --file churn.yaml",
    ),
    "schedule preview": ('schedule preview "cron(30 2 * * ? *)" --timezone Europe/Berlin',),
    "schedule put": (
        'schedule put nightly --pipeline churn-train --cron "0 3 * * ? *" --timezone Europe/Berlin',
        "schedule put nightly --pipeline churn-train --parameter Mode=full --dry-run",
    ),
    "schedule list": ("schedule list --pipeline churn-train",),
    "history": (
        "history --since 7d --state REJECTED",
        "history --trigger retrain --limit 10",
    ),
    "explain": (
        "explain 78eac3e6-798f-c27e-49ec-bbe3be7bab7d",
        "explain event.json --revision 12",
    ),
    "rerun": ("rerun 78eac3e6-798f-c27e-49ec-bbe3be7bab7d --trigger retrain --dry-run",),
    "quarantine list": ("quarantine list --reason missing-parameter --since 24h",),
    "quarantine redrive": (
        "quarantine redrive --all --reason pipeline-not-found --dry-run",
        "quarantine redrive --all --trigger retrain",
    ),
    "dlq redrive": ("dlq redrive --queue undelivered --dry-run",),
    "cleanup sweep": ("cleanup sweep --dry-run",),
    "cleanup restore": ("cleanup restore --pipeline churn-train --since 2h",),
    "local up": ("local up --port 4555",),
}
