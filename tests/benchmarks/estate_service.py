"""An account of any size behind HTTP: as much of Scheduler, SageMaker, EventBridge and DynamoDB as a clean-up calls.

``python -m tests.benchmarks.estate_service SCHEDULES GROUPS MILLISECONDS`` prints its port and serves until its input
ends. Every answer comes after so many milliseconds. Schedules are not kept but made up from their numbers, so that a
million of them need no memory; ``GET /counts`` says how often each operation was called.

Every schedule starts one of 1,000 pipelines, which exist; the first 50 of the group ``g0`` start ``gone``, which does
not. Of the index of the clean-up table it says that every schedule is noted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PAGE = 100
PIPELINES = 1000
ORPHANS = 50
HOME = "us-east-1:123456789012"
HERE = f"arn:aws:sagemaker:{HOME}:pipeline/"
GONE = f"{HERE}gone"
STACK = "bench"
LONG_AGO = 1_700_000_000
NEVER = 4_000_000_000


class Account:
    """What the services know."""

    def __init__(self, schedules: int, groups: int) -> None:
        self.groups = {f"g{number}": schedules // groups for number in range(groups)} | {STACK: 0}
        self.deleted: set[tuple[str, str]] = set()
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.counts: Counter[str] = Counter()

    def answer(self, method: str, target: str, operation: str, body: bytes) -> dict[str, Any] | None:
        """The answer to one request; None when there is no such thing."""
        url = urlsplit(target)
        if url.path == "/counts":
            return dict(self.counts)
        if operation:
            name = operation.rpartition(".")[2]
            self.counts[name] += 1
            answered: dict[str, Any] | None = getattr(self, f"_{name}")(json.loads(body))
            return answered
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        return self._of_scheduler(method, unquote(url.path), asked)

    def _of_scheduler(self, method: str, path: str, asked: dict[str, str]) -> dict[str, Any] | None:
        if path == "/schedule-groups":
            self.counts["ListScheduleGroups"] += 1
            return {"ScheduleGroups": [{"Name": name} for name in self.groups]}
        if path == "/schedules":
            self.counts["ListSchedules"] += 1
            return self._page(asked["ScheduleGroup"], int(asked.get("NextToken", "0")))
        if path.startswith("/tags/"):
            self.counts["ListTagsForResource"] += 1
            return {"Tags": []}
        key = (asked["groupName"], path.removeprefix("/schedules/"))
        self.counts["DeleteSchedule" if method == "DELETE" else "GetSchedule"] += 1
        if key in self.deleted:
            return None
        if method == "DELETE":
            self.deleted.add(key)
            return {}
        return self._schedule(key[0], int(key[1][1:]))

    def _page(self, group: str, first: int) -> dict[str, Any]:
        numbers = range(first, min(first + PAGE, self.groups[group]))
        shown = [self._schedule(group, number) for number in numbers if (group, f"s{number}") not in self.deleted]
        more = {"NextToken": str(first + PAGE)} if first + PAGE < self.groups[group] else {}
        return {"Schedules": shown, **more}

    def _schedule(self, group: str, number: int) -> dict[str, Any]:
        started = GONE if group == "g0" and number < ORPHANS else f"{HERE}p{number % PIPELINES}"
        return {
            "Arn": f"arn:aws:scheduler:{HOME}:schedule/{group}/s{number}",
            "GroupName": group,
            "Name": f"s{number}",
            "State": "ENABLED",
            "CreationDate": LONG_AGO,
            "LastModificationDate": LONG_AGO,
            "Target": {"Arn": started},
        }

    # SageMaker and EventBridge

    def _ListPipelines(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - as the operation is called
        first = int(asked.get("NextToken", "0"))
        more = {"NextToken": str(first + PAGE)} if first + PAGE < PIPELINES else {}
        return {"PipelineSummaries": [{"PipelineArn": f"{HERE}p{first + it}"} for it in range(PAGE)], **more}

    def _DescribePipeline(self, asked: dict[str, Any]) -> dict[str, Any] | None:  # noqa: N802
        return None if asked["PipelineName"] == GONE else {"PipelineArn": asked["PipelineName"]}

    def _ListEventBuses(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"EventBuses": [{"Name": "default"}]}

    def _ListRules(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Rules": []}

    def _ListRuleNamesByTarget(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"RuleNames": []}

    # DynamoDB

    def _GetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self.items.get(_key(asked["Key"]))
        return {"Item": item} if item else {}

    def _PutItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.items[_key(asked["Item"])] = asked["Item"]
        return {}

    def _BatchGetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        ((table, wanted),) = asked["RequestItems"].items()
        found = []
        for key in wanted["Keys"]:
            if key["pk"]["S"].startswith("schedules#"):
                found.append({**key, "expires_at": {"N": str(NEVER)}})
            elif _key(key) in self.items:
                found.append(self.items[_key(key)])
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def _BatchWriteItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        ((_, requests),) = asked["RequestItems"].items()
        for request in requests:
            if "PutRequest" in request:
                self.items[_key(request["PutRequest"]["Item"])] = request["PutRequest"]["Item"]
            else:
                self.items.pop(_key(request["DeleteRequest"]["Key"]), None)
        return {"UnprocessedItems": {}}

    def _Scan(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        beginning = asked["ExpressionAttributeValues"][":beginning"]["S"]
        return {"Items": [item for (pk, _), item in self.items.items() if pk.startswith(beginning)]}

    def _Query(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        pk = asked["ExpressionAttributeValues"][":pk"]["S"]
        if pk != f"schedules#{GONE}":
            return {"Items": []}
        return {"Items": [{"pk": {"S": pk}, "sk": {"S": f"g0/s{number}"}} for number in range(ORPHANS)]}


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


async def _serve(account: Account, seconds: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                method, target, _ = lines[0].split(" ")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                if target != "/counts":
                    await asyncio.sleep(seconds)
                answer = account.answer(method, target, headers.get("x-amz-target", ""), body)
                writer.write(_written(answer, is_json=bool(headers.get("x-amz-target"))))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def _written(answer: dict[str, Any] | None, *, is_json: bool) -> bytes:
    status, body = "200 OK", answer
    if answer is None:
        code = "ResourceNotFound" if is_json else "ResourceNotFoundException"
        status, body = ("400 Bad Request" if is_json else "404 Not Found"), {"__type": code, "Message": code}
    text = json.dumps(body).encode()
    kind = "application/x-amz-json-1.1" if is_json else "application/json"
    error = f"x-amzn-errortype: {body['__type']}\r\n" if answer is None and body else ""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nx-amzn-requestid: {uuid.uuid4()}\r\n{error}"
    return f"{head}content-length: {len(text)}\r\n\r\n".encode() + text


if __name__ == "__main__":
    schedules_, groups_, milliseconds_ = map(int, sys.argv[1:4])
    asyncio.run(_serve(Account(schedules_, groups_), milliseconds_ / 1000))
