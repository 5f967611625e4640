"""Least privilege: what each function may do, that it needs it, and that it has all it needs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.session import Session

from tests.template.rendering import FILLED, ROOT, Rendered, as_list, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STARTING = {"S3EventRole", "SnsEventRole", "EndpointStatusRole", "BusEventRole"}
CLEANUP = "ScheduleCleanupRole"
ROLES = {*STARTING, CLEANUP}
QUEUES = {
    "S3EventRole": {"S3EventQueue"},
    "SnsEventRole": {"SnsEventQueue"},
    "EndpointStatusRole": {"StatusEventQueue"},
    "BusEventRole": {"BusEventQueue", "ScheduleQueue"},
    CLEANUP: {"CleanupQueue"},
}

# Actions that AWS cannot restrict to resources (Service Authorization Reference). Nothing else may have Resource "*".
ON_ANY_RESOURCE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
LISTS = {"sagemaker:ListPipelines", "scheduler:ListScheduleGroups", "scheduler:ListSchedules"}

# What Lambda's poller does with a queue in the role's name; no code of ours calls it.
POLLER = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}

ADAPTERS = ROOT / "layers/shared/pipeline_triggers/adapters"
# The adapter that works on each table, and what only the command line does through it.
TABLES: dict[str, tuple[str, set[str]]] = {
    "TriggersTable": ("trigger_store", {"PutItem", "DeleteItem", "BatchGetItem", "TransactWriteItems"}),
    "LedgerTable": ("ledger", {"Query"}),
    "QuarantineTable": ("quarantine", {"Query", "DeleteItem"}),
}
# What the clean-up calls of the adapter of pipelines; all else there is for starting them.
LOOKING = {"DescribePipeline", "ListPipelines"}


def _allowed(stack: Rendered, role: str) -> Iterator[Mapping[str, Any]]:
    """Every statement that a role is given: its own, and those of policies that name it."""
    for policy in stack.properties(role)["Policies"]:
        yield from statements(policy["PolicyDocument"])
    for policy in stack.of_type("AWS::IAM::Policy").values():
        if role in policy["Roles"]:
            yield from statements(policy["PolicyDocument"])


def _pairs(stack: Rendered, role: str) -> set[tuple[str, str]]:
    """Each action of a role with each resource it is allowed on."""
    return {
        (action, resource)
        for statement in _allowed(stack, role)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def test_there_is_one_role_for_each_function(stack: Rendered) -> None:
    assert set(stack.of_type("AWS::IAM::Role")) == ROLES


@pytest.mark.parametrize("role", sorted(ROLES))
def test_only_lambda_may_assume_a_role(role: str, stack: Rendered) -> None:
    (statement,) = statements(stack.properties(role)["AssumeRolePolicyDocument"])
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


def test_nothing_has_a_managed_policy_or_a_name_of_its_own(stack: Rendered) -> None:
    for role in ROLES:
        assert "ManagedPolicyArns" not in stack.properties(role)
        assert "RoleName" not in stack.properties(role)
    assert not stack.of_type("AWS::IAM::ManagedPolicy")


@pytest.mark.parametrize("role", sorted(ROLES))
def test_statements_allow_named_actions_only(role: str, stack: Rendered) -> None:
    for statement in _allowed(stack, role):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "Principal"} & set(statement)
        for action in as_list(statement["Action"]):
            assert "*" not in action
            assert action.count(":") == 1


@pytest.mark.parametrize("role", sorted(ROLES))
def test_any_resource_stands_only_where_aws_knows_no_other(role: str, stack: Rendered) -> None:
    anywhere = {action for action, resource in _pairs(stack, role) if resource == "*"}
    assert anywhere == ON_ANY_RESOURCE | (LISTS if role == CLEANUP else set())


def test_wildcards_inside_resources_are_those_of_this_list(empty: Rendered) -> None:
    partly = {resource for role in ROLES for _, resource in _pairs(empty, role) if "*" in resource and resource != "*"}
    log_groups = {empty.arn(role.removesuffix("Role") + "LogGroup") for role in ROLES}  # ARNs of groups end in :*
    assert partly == log_groups | {
        "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/*",
        "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/*/execution/*",
        "arn:aws:scheduler:eu-west-1:111122223333:schedule/*/*",
    }


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_reads_its_own_queues_and_writes_its_own_log(role: str, stack: Rendered) -> None:
    pairs = _pairs(stack, role)
    assert {resource for action, resource in pairs if action.startswith("sqs:")} == {
        stack.arn(queue) for queue in QUEUES[role]
    }
    assert {pair for pair in pairs if pair[0].startswith("logs:")} == {
        ("logs:CreateLogStream", stack.arn(role.removesuffix("Role") + "LogGroup")),
        ("logs:PutLogEvents", stack.arn(role.removesuffix("Role") + "LogGroup")),
    }


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_start_passes_no_role_so_nobody_may(role: str, stack: Rendered) -> None:
    assert not [action for action, _ in _pairs(stack, role) if action.startswith("iam:")]


@pytest.mark.parametrize("role", sorted(STARTING))
def test_pipelines_are_those_of_the_parameter_in_lower_case(role: str, filled: Rendered) -> None:
    resources = {pair for pair in _pairs(filled, role) if pair[0].startswith("sagemaker:")}
    pattern = FILLED["PipelineArnPattern"]
    assert resources == {
        ("sagemaker:DescribePipeline", pattern),
        ("sagemaker:ListPipelineExecutions", pattern),
        ("sagemaker:StartPipelineExecution", pattern),
        ("sagemaker:DescribePipelineExecution", f"{pattern}/execution/*"),
    }


@pytest.mark.parametrize("role", sorted(ROLES))
def test_pipeline_arns_are_lower_case_because_iam_compares_by_case(role: str, stack: Rendered) -> None:
    for action, resource in _pairs(stack, role):
        if action.startswith("sagemaker:"):
            assert resource == resource.lower()


@pytest.mark.parametrize("role", sorted(STARTING))
def test_roles_may_be_assumed_only_when_named(role: str, empty: Rendered, filled: Rendered) -> None:
    assert "sts:AssumeRole" not in {action for action, _ in _pairs(empty, role)}
    assumed = {resource for action, resource in _pairs(filled, role) if action == "sts:AssumeRole"}
    assert assumed == {FILLED["StartRoleArns"]}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", sorted(STARTING))
def test_a_role_may_do_with_a_table_what_its_adapter_does_and_no_more(role: str, table: str, stack: Rendered) -> None:
    adapter, command_line_only = TABLES[table]
    granted = {action for action, resource in _pairs(stack, role) if resource == stack.arn(table)}
    assert granted == {f"dynamodb:{name}" for name in _calls(adapter, "dynamodb") - command_line_only}


@pytest.mark.parametrize("role", sorted(STARTING))
def test_no_function_that_starts_pipelines_touches_the_cleanup_table(role: str, stack: Rendered) -> None:
    assert not [action for action, resource in _pairs(stack, role) if resource == stack.arn("CleanupTable")]


@pytest.mark.parametrize("role", sorted(STARTING))
def test_a_role_may_call_what_the_adapters_call_and_no_more(role: str, filled: Rendered) -> None:
    granted = {action for action, _ in _pairs(filled, role)}
    assert {action for action in granted if action.startswith("sagemaker:")} == {
        f"sagemaker:{name}" for name in _calls("pipelines", "sagemaker") - {"ListPipelines"}
    }
    assert {action for action in granted if action.startswith("sts:")} == {
        f"sts:{name}" for name in _calls("clients", "sts")
    }
    # Sending is for a redrive, which the command line does.
    assert {action for action in granted if action.startswith("sqs:")} - POLLER == {
        f"sqs:{name}" for name in _calls("queues", "sqs") - {"SendMessage"}
    }


def test_the_clean_up_may_do_what_its_adapters_do_and_no_more(stack: Rendered) -> None:
    by_service: dict[str, set[str]] = {}
    for action, _ in _pairs(stack, CLEANUP):
        service, _, name = action.partition(":")
        by_service.setdefault(service, set()).add(name)
    assert set(by_service) == {"dynamodb", "logs", "sagemaker", "scheduler", "sqs", "xray"}
    assert by_service["sagemaker"] == LOOKING
    assert by_service["scheduler"] == _calls("schedules", "scheduler")
    assert by_service["sqs"] == {name.removeprefix("sqs:") for name in POLLER} | (
        _calls("queues", "sqs") - {"SendMessage"}
    )


def test_the_clean_up_writes_its_own_table_and_the_quarantine_and_no_other(stack: Rendered) -> None:
    granted = {pair for pair in _pairs(stack, CLEANUP) if pair[0].startswith("dynamodb:")}
    own = {(f"dynamodb:{name}", stack.arn("CleanupTable")) for name in _calls("cleanup_store", "dynamodb")}
    assert granted == own | {("dynamodb:PutItem", stack.arn("QuarantineTable"))}


def test_the_clean_up_starts_nothing_and_the_others_delete_nothing(stack: Rendered) -> None:
    assert "sagemaker:StartPipelineExecution" not in {action for action, _ in _pairs(stack, CLEANUP)}
    for role in STARTING:
        assert not [action for action, _ in _pairs(stack, role) if action.startswith("scheduler:")]


def _calls(adapter: str, service: str) -> set[str]:
    """The operations of a service that an adapter calls, by AWS's names."""
    operations = {xform_name(name): name for name in Session().get_service_model(service).operation_names}
    tree = ast.parse((ADAPTERS / f"{adapter}.py").read_text(encoding="utf-8"))
    called = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    return {operations[name] for name in called & set(operations)}
