"""A stack that somebody else deploys: its uploaded code is fetched, and runs as often as it is deployed."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pipeline_triggers.errors import ConfigurationError
from pipeline_triggers.local.artifacts import fetch
from pipeline_triggers.local.follower import Follower

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline_triggers.local.deployment import Deployment
    from tests.unit.local.support import Account

HANDLER = """
import helper
def handler(event, context):
    print(helper.WORD, event["Records"][0]["body"])
"""
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    },
}


class Heard:
    """What a follower has told."""

    def __init__(self) -> None:
        self.deployed: list[Deployment] = []
        self.failed: list[Exception] = []
        self.lines: list[str] = []
        self._lock = threading.Lock()

    def log(self, _function: str, line: str) -> None:
        with self._lock:
            self.lines.append(line)

    def wait(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not happened():
            assert time.monotonic() < deadline, (self.deployed, self.failed, self.lines)
            time.sleep(0.05)


@contextmanager
def following(account: Account) -> Iterator[Heard]:
    heard = Heard()
    follower = Follower(
        "stack", account.url, on_deployed=heard.deployed.append, on_failed=heard.failed.append, on_log=heard.log
    )
    with follower:
        yield heard


def upload(account: Account, key: str, files: dict[str, str]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    account.client("s3").put_object(Bucket="uploads", Key=key, Body=buffer.getvalue())


def place(key: str) -> dict[str, str]:
    return {"S3Bucket": "uploads", "S3Key": key}


def template(*, code: Any, layer: Any) -> str:
    """A stack with a queue, a function that is mapped to it, and a layer."""
    mapping = {"EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}, "FunctionName": {"Ref": "Function"}, "BatchSize": 1}
    function = {
        "FunctionName": "worker",
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": code,
        "Layers": [layer] if "Ref" in layer else [{"Ref": "Layer"}],
    }
    resources = {
        "Role": ROLE,
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "queue"}},
        "Layer": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": layer}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
    }
    return json.dumps({"Resources": resources})


def deploy(account: Account, kind: str, *, code: str, layer: str = "layer/1") -> None:
    """Deploy the stack by a change set, as SAM does."""
    cloudformation = account.client("cloudformation")
    body = template(code=place(code), layer=place(layer))
    about = {"StackName": "stack", "ChangeSetName": f"{kind}-{code.replace('/', '-')}"}
    cloudformation.create_change_set(**about, ChangeSetType=kind, TemplateBody=body)
    cloudformation.execute_change_set(**about)


@pytest.fixture
def account(aws: Account) -> Account:
    """An account where the code of a function and a layer was uploaded."""
    aws.client("s3").create_bucket(Bucket="uploads")
    upload(aws, "code/1", {"app.py": HANDLER})
    upload(aws, "layer/1", {"python/helper.py": "WORD = 'handled'"})
    return aws


def send(account: Account, body: str) -> None:
    account.client("sqs").send_message(QueueUrl=f"{account.url}/123456789012/queue", MessageBody=body)


def test_the_uploaded_function_runs_with_its_layer_once_it_is_deployed(account: Account) -> None:
    with following(account) as heard:
        deploy(account, "CREATE", code="code/1")
        heard.wait(lambda: len(heard.deployed) == 1)
        send(account, "one")
        heard.wait(lambda: "handled one" in heard.lines)
    assert heard.failed == []


def test_a_stack_that_was_there_before_runs_too(account: Account) -> None:
    deploy(account, "CREATE", code="code/1")
    with following(account) as heard:
        heard.wait(lambda: len(heard.deployed) == 1)


def test_the_code_of_the_next_deployment_runs_in_its_place(account: Account) -> None:
    upload(account, "code/2", {"app.py": HANDLER.replace("helper.WORD,", "'again',")})
    with following(account) as heard:
        deploy(account, "CREATE", code="code/1")
        heard.wait(lambda: len(heard.deployed) == 1)
        deploy(account, "UPDATE", code="code/2")
        heard.wait(lambda: len(heard.deployed) == 2)
        send(account, "two")
        heard.wait(lambda: "again two" in heard.lines)


def test_a_function_that_cannot_start_is_told_and_the_next_deployment_is_tried(account: Account) -> None:
    upload(account, "code/broken", {"app.py": "import nothing_of_that_name"})
    with following(account) as heard:
        deploy(account, "CREATE", code="code/broken")
        heard.wait(lambda: bool(heard.failed))
        assert "nothing_of_that_name" in str(heard.failed[0])
        deploy(account, "UPDATE", code="code/1")
        heard.wait(lambda: len(heard.deployed) == 1)
    assert len(heard.failed) == 1


def test_nothing_runs_any_more_when_the_stack_is_deleted(account: Account) -> None:
    with following(account) as heard:
        deploy(account, "CREATE", code="code/1")
        heard.wait(lambda: len(heard.deployed) == 1)
        account.client("cloudformation").delete_stack(StackName="stack")
        deploy(account, "CREATE", code="code/1")
        heard.wait(lambda: len(heard.deployed) == 2)


def test_code_is_fetched_to_a_folder_of_its_own(account: Account, tmp_path: Path) -> None:
    deploy(account, "CREATE", code="code/1")
    (function,) = fetch("stack", endpoint_url=account.url, into=tmp_path).values()
    assert function.handler == "app.handler"
    assert (function.code / "app.py").read_text() == HANDLER
    assert [(layer / "helper.py").is_file() for layer in function.layers] == [True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code-1", "layer-1"]


def test_code_that_was_fetched_is_not_fetched_again(account: Account, tmp_path: Path) -> None:
    deploy(account, "CREATE", code="code/1")
    first = fetch("stack", endpoint_url=account.url, into=tmp_path)
    account.client("s3").delete_object(Bucket="uploads", Key="code/1")
    assert fetch("stack", endpoint_url=account.url, into=tmp_path) == first


def test_code_that_was_not_uploaded_is_named(account: Account, tmp_path: Path) -> None:
    body = template(code={"ZipFile": "pass"}, layer=place("layer/1"))
    account.client("cloudformation").create_stack(StackName="stack", TemplateBody=body)
    with pytest.raises(ConfigurationError, match="the code of Function was not uploaded"):
        fetch("stack", endpoint_url=account.url, into=tmp_path)


def test_code_that_is_no_zip_file_is_named(account: Account, tmp_path: Path) -> None:
    deploy(account, "CREATE", code="code/1")
    account.client("s3").put_object(Bucket="uploads", Key="code/1", Body=b"no zip file")
    with pytest.raises(ConfigurationError, match="the code of Function is no zip file: s3://uploads/code/1"):
        fetch("stack", endpoint_url=account.url, into=tmp_path)
