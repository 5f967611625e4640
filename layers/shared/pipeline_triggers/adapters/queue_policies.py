"""The policies of SQS's queues: implements the port ``QueuePolicies``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline_triggers.adapters.failures import NOT_FOUND, code_of, readable
from pipeline_triggers.domain.forms import json_object
from pipeline_triggers.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline_triggers.adapters.clients import Clients


class SqsPolicies:
    """The queues of this Region that one may look at."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def of(self, queue_arn: str) -> Mapping[str, Any]:
        """The policy of a queue; without one an empty document. NotFoundError when there is no such queue."""
        *_, account, name = queue_arn.split(":")
        with readable():
            try:
                url = self._clients.sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
                answer = self._clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
            except ClientError as error:
                if code_of(error) in NOT_FOUND:
                    raise NotFoundError(f"there is no queue {queue_arn}") from error
                raise
            return json_object(answer.get("Attributes", {}).get("Policy"))
