"""What the texts of a trigger may look like, with the rules in words.

Where AWS has such a thing its rule is taken: names and descriptions of rules (EventBridge), tags (tagging), parameters
and display names (service model of SageMaker), role ARNs (IAM). They are checked when a trigger is read, and the JSON
Schema of trigger files is made of them.
"""

from __future__ import annotations

from pipeline_triggers.domain.conversions import MAX_NAME, MAX_VALUE
from pipeline_triggers.domain.executions import MAX_DISPLAY_NAME, TOKEN_SUFFIX
from pipeline_triggers.domain.forms import Text
from pipeline_triggers.domain.templates import MAX_TEMPLATE

NAME = Text("has 1 to 64 of 0-9 A-Z a-z . _ -", 64, pattern=r"[0-9A-Za-z._-]+")
SET = Text("has 1 to 64 of 0-9 A-Z a-z . _ - (no set: leave it out)", 64, pattern=r"[0-9A-Za-z._-]+")
DESCRIPTION = Text("has at most 512 characters", 512, minimum=0)
TAG_KEY = Text(
    "has 1 to 128 letters, digits, spaces or _ . : / = + - @ and does not begin with aws:",
    128,
    pattern=r"(?![aA][wW][sS]:)[\w\s.:/=+@-]+",
)
TAG_VALUE = Text(
    "has at most 256 letters, digits, spaces or _ . : / = + - @", 256, minimum=0, pattern=r"[\w\s.:/=+@-]*"
)
MAX_TAGS = 50
PIPELINE = Text("is the name of a pipeline (1 to 256 letters, digits and inner hyphens) or its ARN", 2048)
TARGET_ID = Text("has 1 to 256 of 0-9 A-Z a-z . _ -", 256, pattern=r"[0-9A-Za-z._-]+")
PARAMETER_NAME = Text(
    f"has 1 to {MAX_NAME} letters, digits, hyphens and underscores", MAX_NAME, pattern=r"[A-Za-z0-9_-]+"
)
VALUE = Text(f"has 1 to {MAX_VALUE:,} characters", MAX_VALUE)
EXPRESSION = Text(f"is a text, a JSONPath or a template of 1 to {MAX_TEMPLATE:,} characters", MAX_TEMPLATE)
DISPLAY_NAME = Text(
    f"has 1 to {MAX_DISPLAY_NAME - TOKEN_SUFFIX - 1} letters, digits and inner hyphens: a part of the token follows it",
    MAX_DISPLAY_NAME - TOKEN_SUFFIX - 1,
    pattern=r"[a-zA-Z0-9](-*[a-zA-Z0-9])*",
)
NOTE = Text(
    "is one line of at most 1,024 characters: who caused the execution follows it", 1024, 0, r"[^\r\n\x00-\x1f]*"
)
ROLE_ARN = Text(
    "is the ARN of an IAM role, arn:aws:iam::123456789012:role/name",
    2048,
    pattern=r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]+",
)
OCCURRENCE_KEY = Text(
    "is a JSONPath such as $.detail.id, or a template such as <$.detail.id>/<$.detail.version>", MAX_TEMPLATE
)
# Of EventBridge Scheduler (service model scheduler 2021-06-30).
MAX_EXPRESSION = 256
MAX_TIMEZONE = 50
SCHEDULE_EXPRESSION = Text("is at(…), rate(…) or cron(…)", MAX_EXPRESSION)
TIMEZONE = Text("is an IANA time zone, such as Europe/Berlin", MAX_TIMEZONE)
TIME = Text("is an ISO 8601 time with its offset, such as 2030-01-31T08:00:00Z", 64)
SCHEDULE_GROUP = Text("has 1 to 64 of 0-9 A-Z a-z . _ -", 64, pattern=r"[0-9A-Za-z._-]+")
QUEUE_ARN = Text(
    "is the ARN of a standard SQS queue, arn:aws:sqs:us-east-1:123456789012:name",
    1600,
    pattern=r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+",
)
KMS_KEY_ARN = Text(
    "is the ARN of a KMS key, arn:aws:kms:us-east-1:123456789012:key/id",
    2048,
    pattern=r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[0-9A-Za-z/_-]+",
)
# Of EventBridge Scheduler's flexible time window and retry policy (service model scheduler 2021-06-30).
MAX_FLEXIBLE_MINUTES = 1440
MIN_EVENT_AGE_SECONDS, MAX_EVENT_AGE_SECONDS = 60, 86400
MAX_RETRY_ATTEMPTS = 185
