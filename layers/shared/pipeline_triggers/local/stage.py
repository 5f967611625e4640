"""The stack on the embedded AWS with pipelines, a bucket and triggers: what ``demo`` and ``local up`` run on."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from botocore.session import Session

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.clock import SystemClock
from pipeline_triggers.adapters.ledger import DynamoLedger
from pipeline_triggers.adapters.quarantine import DynamoQuarantine
from pipeline_triggers.adapters.trigger_store import DynamoTriggerStore
from pipeline_triggers.composition import manager
from pipeline_triggers.documents import load
from pipeline_triggers.errors import ConfigurationError
from pipeline_triggers.local.deployment import deploy
from pipeline_triggers.local.emulator import DEFAULT_PORT, LocalAws
from pipeline_triggers.local.poller import Poller
from pipeline_triggers.local.scheduler import Scheduler
from pipeline_triggers.local.trust import PRINCIPAL
from pipeline_triggers.local.wire import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from pipeline_triggers.documents import TriggerFile
    from pipeline_triggers.local.deployment import Deployment
    from pipeline_triggers.local.faults import Faults
    from pipeline_triggers.local.proxy import Interceptor
    from pipeline_triggers.local.scheduler import Firing

STACK = "local"
BUCKET = "raw-data"
# Where `sam deploy --config-env local` uploads code and template; samconfig.toml says why it is called that.
UPLOADS = "sthree-pipeline-triggers-local"
OWN_SOURCE = "com.example.features"

# The pipelines of the sample triggers and what they declare: type, and a default unless the parameter is required.
PIPELINES: Mapping[str, Mapping[str, tuple[str, object]]] = {
    "churn-train": {
        "InstanceType": ("String", "ml.m5.xlarge"),
        "InputKey": ("String", "-"),
        "InputUri": ("String", None),
        "MaxRows": ("Integer", 0),
        "Reason": ("String", "-"),
    },
    "churn-score": {
        "Action": ("String", None),
        "InstanceType": ("String", "ml.m5.xlarge"),
        "InputKey": ("String", "-"),
        "OutputUri": ("String", "-"),
        "MaxRows": ("Integer", 0),
        "RequestedBy": ("String", "-"),
    },
    "churn-evaluate": {
        "Subject": ("String", None),
        "EndpointConfigName": ("String", "-"),
        "ModelDataUrl": ("String", "-"),
    },
    "churn-deploy": {
        "ModelPackageArn": ("String", None),
        "ModelVersion": ("Integer", None),
        "ModelDataUrl": ("String", "-"),
    },
    "churn-features": {
        "Table": ("String", None),
        "Rows": ("Integer", None),
        "Partition": ("String", "-"),
        "Note": ("String", "-"),
        "Discount": ("String", "-"),
    },
}

# Pipelines that no trigger starts, with schedules: their names and expressions.
SCHEDULED: Mapping[str, Mapping[str, str]] = {
    "ChurnReport": {"ChurnReport": "rate(1 hour)", "churn-report-nightly": "cron(0 3 * * ? *)"},
    "ChurnReport2": {"ChurnReport2": "rate(1 day)"},
    "churn-train": {"churn-weekly": "cron(0 6 ? * MON *)"},
}


class Stage:
    """An embedded AWS on which the template is deployed and its functions run.

    ``template`` is the SAM template and ``parameters`` are its parameters; without a template nothing is deployed, and
    there is neither ``deployment`` nor ``poller``. ``port`` 0 takes any free port, ``also_listen`` as in ``LocalAws``.
    Without ``poll`` the queues are left alone and no function runs here. ``on_log`` gets the name of a function and a
    line that it wrote, from other threads. Schedules fire by the clock if ``on_fired`` is there to be told of each,
    from another thread; otherwise ``scheduler`` fires them when it is asked to. ``interceptors`` as in ``LocalAws``;
    ``faults`` stand before them. ``parallel`` as in ``Poller``.
    Raises ConfigurationError when the template does not exist, or the port is taken.
    """

    def __init__(
        self,
        template: Path | None,
        *,
        port: int = DEFAULT_PORT,
        also_listen: Sequence[str] = (),
        poll: bool = True,
        parameters: Mapping[str, str] | None = None,
        on_log: Callable[[str, str], None] | None = None,
        on_fired: Callable[[Firing], None] | None = None,
        interceptors: Sequence[Interceptor] = (),
        faults: Faults | None = None,
        parallel: int = 1,
    ) -> None:
        if template and not template.is_file():
            raise ConfigurationError(f"there is no {template}: run this in the project's folder, or give --template")
        before: tuple[Interceptor, ...] = (faults, *interceptors) if faults else tuple(interceptors)
        self.aws = LocalAws(port=port, also_listen=also_listen, interceptors=before)
        self._template, self._poll, self._on_log = template, poll, on_log
        self._parameters, self._on_fired = parameters or {}, on_fired
        self._faults, self._parallel = faults, parallel
        self._started = ExitStack()

    def __enter__(self) -> Self:
        """Start AWS, deploy, start the functions."""
        with ExitStack() as starting:
            starting.enter_context(self.aws)
            self.client("s3").create_bucket(Bucket=UPLOADS)
            if self._template:
                self._deploy(self._template, starting)
            self.scheduler = Scheduler(self.aws.url)
            if self._on_fired:
                starting.enter_context(self.scheduler.running(self._on_fired))
            clients, clock = self._clients(), SystemClock()
            self.store = DynamoTriggerStore(clients, f"{STACK}-triggers", clock)
            self.ledger = DynamoLedger(clients, f"{STACK}-ledger", clock)
            self.quarantine = DynamoQuarantine(clients, f"{STACK}-quarantine", clock)
            self._started = starting.pop_all()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop the functions and AWS."""
        self._started.close()

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded AWS."""
        return self.aws.client(service)

    def furnish(self) -> None:
        """Make pipelines, some with schedules, and a bucket that sends its events to EventBridge."""
        s3 = self.client("s3")
        for name in {**PIPELINES, **SCHEDULED}:
            self._create_pipeline(name, PIPELINES.get(name, {}))
        role = scheduler_role(self.client("iam"))
        for name, schedules in SCHEDULED.items():
            self._schedule(name, schedules, role)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET,
            NotificationConfiguration={"EventBridgeConfiguration": {}},
        )

    def apply(self, file: Path) -> TriggerFile:
        """Make the triggers of a file the stack's. Raises InvalidTriggerError with the problems of the file."""
        triggers = load(file.read_text(encoding="utf-8"), file=str(file))
        manager(self._clients(), STACK).apply(triggers.triggers, set=triggers.set)
        return triggers

    def schedules(self) -> dict[str, str]:
        """The name of the pipeline that each schedule targets, as its ARN has it, by the schedule's name.

        Of those that go through this application, the name of the queue.
        """
        pages = self.client("scheduler").get_paginator("list_schedules").paginate()
        found = {it["Name"]: it["Target"]["Arn"] for page in pages for it in page["Schedules"]}
        return {name: arn.rpartition("/")[2].rpartition(":")[2] for name, arn in found.items()}

    def executions(self) -> list[dict[str, Any]]:
        """All executions that SageMaker has, with the parameters that it was given."""
        sagemaker = self.client("sagemaker")
        found = []
        for name in PIPELINES:
            for summary in sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]:
                arn = summary["PipelineExecutionArn"]
                sent = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
                found.append(
                    {
                        "pipeline": name,
                        "display_name": summary["PipelineExecutionDisplayName"],
                        "execution_arn": arn,
                        "parameters": {parameter["Name"]: parameter["Value"] for parameter in sent},
                    },
                )
        return found

    def _create_pipeline(self, name: str, declared: Mapping[str, tuple[str, object]]) -> None:
        self.client("sagemaker").create_pipeline(
            PipelineName=name,
            PipelineDefinition=definition_of(declared),
            RoleArn="arn:aws:iam::123456789012:role/pipeline-execution",
            ClientRequestToken=f"create-{name}".ljust(32, "-"),
        )

    def _schedule(self, pipeline: str, schedules: Mapping[str, str], role: str) -> None:
        """Make schedules of a pipeline as ``Pipeline.put_triggers`` of the SageMaker SDK makes them."""
        scheduler = self.client("scheduler")
        arn = self.client("sagemaker").describe_pipeline(PipelineName=pipeline)["PipelineArn"]
        for name, expression in schedules.items():
            scheduler.create_schedule(
                Name=name,
                ScheduleExpression=expression,
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={
                    "Arn": arn,
                    "SageMakerPipelineParameters": {},
                    "RoleArn": role,
                },
                State="ENABLED",
                StartDate=datetime.now(UTC),
            )

    def _deploy(self, template: Path, starting: ExitStack) -> None:
        self.deployment: Deployment = deploy(
            template,
            endpoint_url=self.aws.url,
            stack_name=STACK,
            parameters={
                "EndpointUrl": self.aws.url,
                "DefaultBusSources": OWN_SOURCE,
                "StartInterval": "0",
                "CleanupDelay": "0",
                **self._parameters,
            },
        )
        self.poller = Poller(self.deployment, self.aws.url, on_log=self._on_log, parallel=self._parallel)
        if self._faults:
            self._faults.attach(forget_tokens=self.aws.pipelines.forget_tokens, kill=self.poller.kill)
        if self._poll:
            starting.enter_context(self.poller)

    def _clients(self) -> Clients:
        session = Session()
        session.set_credentials(ACCOUNT, "local")
        return Clients(region=REGION, endpoint_url=self.aws.url, session=session)


def definition_of(declared: Mapping[str, tuple[str, object]]) -> str:
    """A pipeline definition, as SageMaker keeps it, with these parameters and one step."""
    parameters = [
        {"Name": name, "Type": kind} | ({} if default is None else {"DefaultValue": default})
        for name, (kind, default) in declared.items()
    ]
    step = {"Name": "Nothing", "Type": "Fail", "Arguments": {"ErrorMessage": "a sample pipeline does nothing"}}
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": [step]})


def scheduler_role(iam: Any) -> str:
    """The ARN of a new role, ``scheduler``, that EventBridge Scheduler may assume; nobody here asks what it may do."""
    allowed = {"Effect": "Allow", "Principal": {"Service": PRINCIPAL}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    role: str = iam.create_role(RoleName="scheduler", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    return role


class Lines:
    """Log lines of the functions, collected while they run."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def add(self, function: str, line: str) -> None:
        """Keep a line; called from the threads that read the functions' output."""
        with self._lock:
            self._lines.append((function, line))

    def take(self) -> list[tuple[str, str]]:
        """The lines since the last time."""
        with self._lock:
            taken, self._lines = self._lines, []
        return taken
