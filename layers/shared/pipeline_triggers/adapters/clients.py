"""AWS clients, made when first asked for and kept: the one place that knows botocore's settings.

Clients come from botocore, not boto3: they are the same objects, and a function loads less before its first call.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import NoRegionError, PartialCredentialsError, ProfileNotFound
from botocore.parsers import ResponseParserError
from botocore.session import Session

from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.errors import ConfigurationError, TransientError
from pipeline_triggers.tracing import CallTracer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

    from pipeline_triggers.domain.ports import Clock


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the calls of a service may take: seconds to connect and to wait for an answer, and how many attempts."""

    connect: float
    read: float
    attempts: int

    @property
    def longest(self) -> float:
        """Seconds that one call may take: all attempts as late as can be, and the pauses between them.

        The pause before attempt n is shorter than 2^(n-2) seconds (botocore, retry mode standard).
        """
        return self.attempts * (self.connect + self.read) + sum(2.0**n for n in range(self.attempts - 1))


# In a function every second counts. One call takes at most 2 x (1 + 3) + 1 = 9 s (DynamoDB, SQS, STS), or 2 + 8 = 10 s
# (SageMaker); so a start takes at most 46 s even if every answer is as late as can be: 3 x 9 to acquire (read, count,
# write), 10 for the start, 9 to complete. All but the last must fit before a target is begun (START_BUDGET in
# reacting.py, 38 s of the function's 60), and whatever would still come too late is not begun (``end_by``).
#
# SageMaker is called once: a repetition inside the SDK hides whether the first attempt acted (a lost answer and then a
# throttled repetition would look as if nothing had happened). The queue repeats instead, and the ledger knows.
IN_A_FUNCTION = {"sagemaker": Limits(connect=2, read=8, attempts=1)}
OTHERS_IN_A_FUNCTION = Limits(connect=1, read=3, attempts=2)
# A laptop may be far away.
ELSEWHERE = {"sagemaker": Limits(connect=3, read=10, attempts=1)}
OTHERS_ELSEWHERE = Limits(connect=3, read=10, attempts=2)
# Credentials of an assumed role are renewed so long before they expire.
RENEW_BEFORE = timedelta(minutes=5)
SESSION_NAME = "pipeline-triggers"


@dataclass(frozen=True, slots=True)
class _Assumed:
    client: SageMakerClient
    renew_at: datetime


class Clients:
    """Clients of one account and Region, safe to share between threads.

    ``region`` and ``profile`` default to what the AWS configuration says; ``endpoint_url`` to AWS_ENDPOINT_URL. An
    empty ``endpoint_url`` counts as none. ``session`` brings credentials of its own. ``in_a_function`` gives calls less
    time and traces them. Raises ConfigurationError when there is no Region or no such profile.
    """

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        profile: str | None = None,
        *,
        session: Session | None = None,
        clock: Clock | None = None,
        in_a_function: bool = False,
    ) -> None:
        self._session = session or Session(profile=profile or None)
        self._region = region or None
        self._endpoint_url = endpoint_url or None
        self._clock = clock or SystemClock()
        self._is_in_a_function = in_a_function
        self._deadline: datetime | None = None
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._assumed: dict[tuple[str, str | None], _Assumed] = {}

    def end_by(self, deadline: datetime) -> None:
        """From now on refuse calls that might still go on at ``deadline``, when this process is ended.

        They raise TransientError("deadline") instead, and nothing is sent.
        """
        self._deadline = deadline

    @property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""
        return cast("DynamoDBClient", self.client("dynamodb"))

    @property
    def scheduler(self) -> EventBridgeSchedulerClient:
        """EventBridge Scheduler."""
        return cast("EventBridgeSchedulerClient", self.client("scheduler"))

    @property
    def sqs(self) -> SQSClient:
        """SQS."""
        return cast("SQSClient", self.client("sqs"))

    @property
    def sts(self) -> STSClient:
        """STS."""
        return cast("STSClient", self.client("sts"))

    def sagemaker(self, region: str | None = None) -> SageMakerClient:
        """SageMaker, of this Region or another."""
        return cast("SageMakerClient", self.client("sagemaker", region))

    def client(self, service: str, region: str | None = None) -> Any:
        """The client of any service, by the name that botocore gives it."""
        key = (service, region or self._region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._create(*key)
            return self._clients[key]

    def assumed(self, role_arn: str, region: str | None = None) -> SageMakerClient:
        """SageMaker with the rights of a role: assumed when first needed, and again before its credentials expire."""
        key = (role_arn, region or self._region)
        with self._lock:
            held = self._assumed.get(key)
            if held is None or held.renew_at <= self._clock.now():
                held = self._assumed[key] = self._assume(*key)
            return held.client

    def _assume(self, role_arn: str, region: str | None) -> _Assumed:
        answer = self.sts.assume_role(RoleArn=role_arn, RoleSessionName=SESSION_NAME)
        credentials = answer["Credentials"]
        client = self._create(
            "sagemaker",
            region,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
        return _Assumed(client, credentials["Expiration"] - RENEW_BEFORE)

    def _limits_of(self, service: str) -> Limits:
        if self._is_in_a_function:
            return IN_A_FUNCTION.get(service, OTHERS_IN_A_FUNCTION)
        return ELSEWHERE.get(service, OTHERS_ELSEWHERE)

    def _refuse_if_late(self, longest: float, **_: Any) -> None:
        if self._deadline is not None and self._clock.now() + timedelta(seconds=longest) > self._deadline:
            raise TransientError("deadline", "too little time is left for another call")

    def _create(self, service: str, region: str | None, **credentials: Any) -> Any:
        limits = self._limits_of(service)
        config = Config(
            connect_timeout=limits.connect,
            read_timeout=limits.read,
            retries={"total_max_attempts": limits.attempts, "mode": "standard"},
            tcp_keepalive=True,
        )
        try:
            client = self._session.create_client(
                cast(Any, service),
                region_name=region,
                endpoint_url=self._endpoint_url,
                config=config,
                **credentials,
            )
            client.meta.events.register("before-call", partial(self._refuse_if_late, limits.longest))
            client.meta.events.register("after-call", _refuse_foreign)
            if self._is_in_a_function:
                CallTracer().follow(client)
            return client
        except NoRegionError as error:
            raise ConfigurationError("no AWS Region: give --region or set AWS_DEFAULT_REGION") from error
        except ProfileNotFound as error:
            raise ConfigurationError(f"{error}: give --profile or set AWS_PROFILE to one that exists") from error
        except PartialCredentialsError as error:
            raise ConfigurationError(f"{error}: the AWS credentials are incomplete") from error


def _refuse_foreign(parsed: Mapping[str, Any], **_: Any) -> None:
    """Raise ResponseParserError for an answer that no AWS service gave, such as the page of a proxy in between.

    botocore takes one with the status 200 for an empty answer: a table would seem to have no triggers, or a start to
    be done. Every answer of AWS has a request id. Answers of tests that have no metadata at all are let pass.
    """
    metadata = parsed.get("ResponseMetadata")
    if metadata is not None and metadata.get("HTTPStatusCode", 0) < 300 and "RequestId" not in metadata:
        raise ResponseParserError("the answer has no request id: it is not one of AWS")
