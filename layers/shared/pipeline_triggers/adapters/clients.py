"""AWS clients, made when first asked for and kept: the one place that knows botocore's settings.

Clients come from botocore, not boto3: they are the same objects, and a function loads less before its first call.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import NoRegionError, PartialCredentialsError, ProfileNotFound
from botocore.session import Session

from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

    from pipeline_triggers.domain.ports import Clock

# A call with its one repetition takes at most 2 x (3 + 10) s and some backoff: it fits before a function's deadline.
CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 10
TOTAL_ATTEMPTS = 2
# SageMaker is called once: a repetition inside the SDK hides whether the first attempt acted (a lost answer and then a
# throttled repetition would look as if nothing had happened). The queue repeats instead, and the ledger knows.
SAGEMAKER_ATTEMPTS = 1
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
    empty ``endpoint_url`` counts as none. ``session`` brings credentials of its own. Raises ConfigurationError when
    there is no Region or no such profile.
    """

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        profile: str | None = None,
        *,
        session: Session | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._session = session or Session(profile=profile or None)
        self._region = region or None
        self._endpoint_url = endpoint_url or None
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._assumed: dict[tuple[str, str | None], _Assumed] = {}

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

    def _create(self, service: str, region: str | None, **credentials: Any) -> Any:
        attempts = SAGEMAKER_ATTEMPTS if service == "sagemaker" else TOTAL_ATTEMPTS
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            tcp_keepalive=True,
        )
        try:
            return self._session.create_client(
                cast(Any, service),
                region_name=region,
                endpoint_url=self._endpoint_url,
                config=config,
                **credentials,
            )
        except NoRegionError as error:
            raise ConfigurationError("no AWS Region: give --region or set AWS_DEFAULT_REGION") from error
        except ProfileNotFound as error:
            raise ConfigurationError(f"{error}: give --profile or set AWS_PROFILE to one that exists") from error
        except PartialCredentialsError as error:
            raise ConfigurationError(f"{error}: the AWS credentials are incomplete") from error
