"""Least privilege: what functions, schedules and authors may do, that they need it, and that nothing is missing."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.session import Session

from pipeline_triggers.adapters import contract_marks, orphan_marks
from tests.template.permissions import LISTS, TRACES
from tests.template.rendering import FILLED, ROOT, Rendered, as_list, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STARTING = {"S3EventRole", "SnsEventRole", "EndpointStatusRole", "BusEventRole"}
CLEANUP = "ScheduleCleanupRole"
ROLES = {*STARTING, CLEANUP}
# The roles that EventBridge Scheduler assumes for schedules: those that start a pipeline, those that tell this app.
DIRECT, TELLING = "SchedulerRole", "ScheduleQueueRole"
SCHEDULING = {DIRECT, TELLING}
QUEUES = {
    "S3EventRole": {"S3EventQueue"},
    "SnsEventRole": {"SnsEventQueue"},
    "EndpointStatusRole": {"StatusEventQueue"},
    "BusEventRole": {"BusEventQueue", "ScheduleQueue"},
    CLEANUP: {"CleanupQueue"},
}

# The managed policies for people: those who write triggers and schedules, those who repair, those who clean up.
AUTHOR, OPERATOR, CLEANER = "AuthorPolicy", "OperatorPolicy", "CleanupPolicy"
PEOPLE = (AUTHOR, OPERATOR, CLEANER)

# What Lambda's poller does with a queue in the role's name; no code of ours calls it.
POLLER = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}

ADAPTERS = ROOT / "layers/shared/pipeline_triggers/adapters"
# The adapter that works on each table, and what only the command line does through it.
TABLES: dict[str, tuple[str, set[str]]] = {
    "TriggersTable": ("trigger_store", {"PutItem", "DeleteItem", "TransactWriteItems"}),
    "LedgerTable": ("ledger", {"Query"}),
    "QuarantineTable": ("quarantine", {"Query", "DeleteItem"}),
}
# The adapters that the commands of authors work with, by their service, and what of them none of these commands does.
COMMAND_LINE: dict[str, dict[str, set[str]]] = {
    "cloudformation": {"stacks": set()},
    "dynamodb": {
        "contract_marks": {"DeleteItem", "UpdateItem"},
        "quarantine": {"DeleteItem", "PutItem"},
        "trigger_store": set(),
    },
    "iam": {"roles": set()},
    "sagemaker": {
        "pipelines": {
            "DescribePipelineExecution",
            "ListPipelineExecutions",
            "ListPipelines",
            "StartPipelineExecution",
        }
    },
    "scheduler": {"schedules": {"ListTagsForResource"}},
    "sqs": {"queues": {"ChangeMessageVisibility", "DeleteMessage", "ReceiveMessage", "SendMessage"}},
}
# The same for the commands of operators: status, history, explain, rerun, quarantine and dlq.
OPERATING: dict[str, dict[str, set[str]]] = {
    "cloudformation": {"stacks": set()},
    "dynamodb": {
        "cleanup_store": {"BatchGetItem", "BatchWriteItem", "PutItem", "Query", "Scan"},
        "contract_marks": {"DeleteItem", "UpdateItem"},
        "ledger": set(),
        "quarantine": {"PutItem"},
        "trigger_store": {"DeleteItem", "PutItem", "TransactWriteItems"},
    },
    "sagemaker": {"pipelines": {"DescribePipeline", "ListPipelineExecutions", "ListPipelines"}},
    "scheduler": {
        "schedules": {"CreateSchedule", "DeleteSchedule", "ListScheduleGroups", "ListTagsForResource", "UpdateSchedule"}
    },
    "sqs": {"queues": set()},
    "sts": {"clients": set()},
}
# The same for the commands that clean up and restore.
# What connect and import look at and change belongs to others, who allow it: the README lists it.
OF_OTHERS = {"buckets", "topics", "queue_policies", "connections", "rule_definitions"}

CLEANING: dict[str, dict[str, set[str]]] = {
    "cloudformation": {"stacks": set()},
    "dynamodb": {
        "cleanup_store": set(),
        "orphan_marks": set(),
        "trigger_store": {"DeleteItem", "PutItem", "TransactWriteItems"},
    },
    "events": {"rules": set()},
    "iam": {},
    "sagemaker": {"pipelines": {"DescribePipelineExecution", "ListPipelineExecutions", "StartPipelineExecution"}},
    "scheduler": {"schedules": {"UpdateSchedule"}},
}
# What is no action of its own for IAM, which asks for those inside of it (Service Authorization Reference).
NO_ACTIONS = {"TransactWriteItems"}
# The one statement that denies something.
NEVER_DELETE = "NeverDeleteProtectedSchedules"
# What the clean-up calls of the adapter of pipelines; all else there is for starting them.
LOOKING = {"DescribePipeline", "ListPipelines"}


def _statements(stack: Rendered, role: str) -> Iterator[Mapping[str, Any]]:
    """Every statement about a role: its own, and those of policies that name it."""
    for policy in stack.properties(role)["Policies"]:
        yield from statements(policy["PolicyDocument"])
    for policy in stack.of_type("AWS::IAM::Policy").values():
        if role in policy["Roles"]:
            yield from statements(policy["PolicyDocument"])


def _allowed(stack: Rendered, role: str) -> Iterator[Mapping[str, Any]]:
    """Every statement that gives a role something."""
    return (statement for statement in _statements(stack, role) if statement["Effect"] == "Allow")


def _pairs(stack: Rendered, role: str) -> set[tuple[str, str]]:
    """Each action of a role with each resource it is allowed on."""
    return {
        (action, resource)
        for statement in _allowed(stack, role)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def test_there_is_one_role_for_each_function_and_each_kind_of_schedule(stack: Rendered) -> None:
    assert set(stack.of_type("AWS::IAM::Role")) == ROLES | SCHEDULING


@pytest.mark.parametrize("role", sorted(ROLES))
def test_only_lambda_may_assume_a_functions_role(role: str, stack: Rendered) -> None:
    (statement,) = statements(stack.properties(role)["AssumeRolePolicyDocument"])
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


@pytest.mark.parametrize("role", sorted(SCHEDULING))
def test_only_schedules_of_the_stacks_group_may_assume_a_schedules_role(role: str, stack: Rendered) -> None:
    (statement,) = statements(stack.properties(role)["AssumeRolePolicyDocument"])
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        # EventBridge Scheduler's SourceArn is the group, not the schedule (its user guide, "Confused deputy
        # prevention"); its name is the stack's.
        "Condition": {
            "StringEquals": {
                "aws:SourceAccount": "111122223333",
                "aws:SourceArn": "arn:aws:scheduler:eu-west-1:111122223333:schedule-group/pt",
            }
        },
    }


def test_the_role_of_schedules_starts_pipelines_and_does_nothing_else(empty: Rendered, filled: Rendered) -> None:
    for stack, pipelines in (
        (empty, "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/*"),
        (filled, FILLED["PipelineArnPattern"]),
    ):
        assert _pairs(stack, DIRECT) == {
            ("sagemaker:StartPipelineExecution", pipelines),
            ("sqs:SendMessage", stack.arn("UndeliveredQueue")),
        }


def test_schedules_start_the_pipelines_that_the_functions_start(stack: Rendered) -> None:
    action = "sagemaker:StartPipelineExecution"
    assert {pair for pair in _pairs(stack, DIRECT) if pair[0] == action} == {
        pair for pair in _pairs(stack, "BusEventRole") if pair[0] == action
    }


def test_the_role_of_schedules_that_go_through_the_app_sends_to_its_two_queues_only(stack: Rendered) -> None:
    assert _pairs(stack, TELLING) == {
        ("sqs:SendMessage", stack.arn("ScheduleQueue")),
        ("sqs:SendMessage", stack.arn("UndeliveredQueue")),
    }


def test_only_that_role_may_send_to_the_schedule_queue(stack: Rendered) -> None:
    """An event from there is believed: whoever can send to it can start every scheduled trigger, as operators may."""
    senders = {
        role
        for role in stack.of_type("AWS::IAM::Role")
        if ("sqs:SendMessage", stack.arn("ScheduleQueue")) in _pairs(stack, role)
    }
    assert senders == {TELLING}
    assert "sqs:SendMessage" not in {action for action, _ in _policy_pairs(stack, AUTHOR)}


def test_nothing_of_iam_has_a_name_of_its_own_so_that_a_deployment_needs_no_more_capabilities(stack: Rendered) -> None:
    for role in stack.of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role
        assert "RoleName" not in role
    for policy in stack.of_type("AWS::IAM::ManagedPolicy").values():
        assert "ManagedPolicyName" not in policy


@pytest.mark.parametrize("role", [*sorted(ROLES | SCHEDULING), *PEOPLE])
def test_statements_allow_named_actions_only(role: str, stack: Rendered) -> None:
    is_policy = role in PEOPLE
    for statement in _policy_statements(stack, role) if is_policy else _statements(stack, role):
        assert statement["Effect"] == "Allow" or statement["Sid"] == NEVER_DELETE
        assert not {"NotAction", "NotResource", "Principal"} & set(statement)
        for action in as_list(statement["Action"]):
            assert "*" not in action
            assert action.count(":") == 1


@pytest.mark.parametrize("role", sorted(ROLES))
def test_any_resource_stands_only_where_aws_knows_no_other(role: str, stack: Rendered) -> None:
    anywhere = {action for action, resource in _pairs(stack, role) if resource == "*"}
    assert anywhere == {*TRACES, *(LISTS if role == CLEANUP else ())}


@pytest.mark.parametrize("role", sorted(SCHEDULING))
def test_the_roles_of_schedules_have_no_action_on_any_resource(role: str, stack: Rendered) -> None:
    assert "*" not in {resource for _, resource in _pairs(stack, role)}


def test_wildcards_inside_resources_are_those_of_this_list(empty: Rendered) -> None:
    people = (_policy_pairs(empty, policy) for policy in PEOPLE)
    pairs = set().union(*people, *(_pairs(empty, role) for role in ROLES | SCHEDULING))
    partly = {resource for _, resource in pairs if "*" in resource and resource != "*"}
    log_groups = {empty.arn(role.removesuffix("Role") + "LogGroup") for role in ROLES}  # ARNs of groups end in :*
    assert partly == log_groups | {
        "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/*",
        "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/*/execution/*",
        "arn:aws:scheduler:eu-west-1:111122223333:schedule/*/*",
        "arn:aws:scheduler:eu-west-1:111122223333:schedule/pt/*",
        "arn:aws:scheduler:eu-west-1:111122223333:schedule-group/*",
        "arn:aws:events:eu-west-1:111122223333:rule/*",
        "arn:aws:cloudformation:eu-west-1:111122223333:stack/pt/*",
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
    # Sending is for a redrive, which the command line does; what the poller needs is not for the adapter.
    assert {action for action in granted if action.startswith("sqs:")} - POLLER == {
        f"sqs:{name}" for name in _calls("queues", "sqs") - {"SendMessage"}
    } - POLLER


def test_the_clean_up_may_do_what_its_adapters_do_and_no_more(filled: Rendered) -> None:
    by_service: dict[str, set[str]] = {}
    for action, _ in _pairs(filled, CLEANUP):
        service, _, name = action.partition(":")
        by_service.setdefault(service, set()).add(name)
    assert set(by_service) == {"dynamodb", "events", "logs", "sagemaker", "scheduler", "sqs", "xray"}
    assert by_service["events"] == _calls("rules", "events") - {"PutTargets"}
    assert by_service["sagemaker"] == LOOKING
    assert by_service["scheduler"] == _calls("schedules", "scheduler") - {"CreateSchedule", "UpdateSchedule"}
    assert by_service["sqs"] == {name.removeprefix("sqs:") for name in POLLER} | (
        _calls("queues", "sqs") - {"SendMessage"}
    )


def test_the_clean_up_writes_its_own_table_and_the_quarantine_and_no_other(stack: Rendered) -> None:
    granted = {pair for pair in _pairs(stack, CLEANUP) if pair[0].startswith("dynamodb:")}
    own = {(f"dynamodb:{name}", stack.arn("CleanupTable")) for name in _calls("cleanup_store", "dynamodb")}
    actions = ("DeleteItem", "GetItem", "Query", "UpdateItem")
    of_triggers = {(f"dynamodb:{name}", stack.arn("TriggersTable")) for name in actions}
    assert granted == own | of_triggers | {("dynamodb:PutItem", stack.arn("QuarantineTable"))}


@pytest.mark.parametrize(
    ("of_function", "marks", "calls"),
    [
        (True, orphan_marks.KEY["pk"], {"dynamodb:UpdateItem"}),
        (False, orphan_marks.KEY["pk"], {"dynamodb:UpdateItem"}),
        (True, contract_marks.PARTITION, {"dynamodb:DeleteItem", "dynamodb:UpdateItem"}),
    ],
)
def test_of_the_triggers_a_clean_up_may_write_marks_only(
    of_function: bool, marks: str, calls: set[str], stack: Rendered
) -> None:
    given = list(_allowed(stack, CLEANUP)) if of_function else _policy_statements(stack, CLEANER)
    writing = {"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
    found = [
        it for it in given if it["Resource"] == stack.arn("TriggersTable") and writing & set(as_list(it["Action"]))
    ]
    # For all values of a key that is not there at all, everything holds.
    for it in found:
        (key,) = it["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"]
        assert it["Condition"] == {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [key]},
            "Null": {"dynamodb:LeadingKeys": "false"},
        }
    by_key = {
        it["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"][0]: set(as_list(it["Action"]))
        for it in found
    }
    assert by_key[marks] == calls
    assert set(by_key) == ({orphan_marks.KEY["pk"], contract_marks.PARTITION} if of_function else {marks})


def test_targets_are_taken_from_the_rules_of_people_only_and_only_when_switched_on(
    empty: Rendered, filled: Rendered
) -> None:
    assert not [it for it in _allowed(empty, CLEANUP) if "events:RemoveTargets" in as_list(it["Action"])]
    for given in (_allowed(filled, CLEANUP), _policy_statements(filled, CLEANER)):
        [removing] = [it for it in given if "events:RemoveTargets" in as_list(it["Action"])]
        assert as_list(removing["Action"]) == ["events:RemoveTargets"]
        assert removing["Condition"] == {"Null": {"events:ManagedBy": "true"}}


def test_only_pipelines_may_be_put_back_as_targets_and_only_by_people(filled: Rendered) -> None:
    assert not [it for it in _allowed(filled, CLEANUP) if "events:PutTargets" in as_list(it["Action"])]
    [putting] = [it for it in _policy_statements(filled, CLEANER) if "events:PutTargets" in as_list(it["Action"])]
    assert as_list(putting["Action"]) == ["events:PutTargets"]
    assert putting["Condition"] == {
        "ForAllValues:ArnLike": {"events:TargetArn": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/*"},
        "Null": {"events:TargetArn": "false", "events:ManagedBy": "true"},
    }


@pytest.mark.parametrize("of_function", [True, False])
def test_a_clean_up_is_denied_to_delete_what_is_protected_by_name(
    of_function: bool, empty: Rendered, filled: Rendered
) -> None:
    def denied(stack: Rendered) -> list[Mapping[str, Any]]:
        given = _statements(stack, CLEANUP) if of_function else _policy_statements(stack, CLEANER)
        return [it for it in given if it["Effect"] == "Deny"]

    assert not denied(empty)
    (statement,) = denied(filled)
    assert statement["Sid"] == NEVER_DELETE
    assert as_list(statement["Action"]) == ["scheduler:DeleteSchedule"]
    assert statement["Resource"] == [
        "arn:*:scheduler:*:*:schedule/default/nightly-*",
        "arn:*:scheduler:*:*:schedule/prod/*",
    ]


def test_the_clean_up_reads_tags_of_groups_only(stack: Rendered) -> None:
    read = {resource for action, resource in _pairs(stack, CLEANUP) if action == "scheduler:ListTagsForResource"}
    assert read == {"arn:aws:scheduler:eu-west-1:111122223333:schedule-group/*"}


def test_the_clean_up_starts_nothing_and_the_others_delete_nothing(stack: Rendered) -> None:
    assert "sagemaker:StartPipelineExecution" not in {action for action, _ in _pairs(stack, CLEANUP)}
    for role in STARTING:
        assert not [action for action, _ in _pairs(stack, role) if action.startswith("scheduler:")]


def test_the_policies_of_people_are_attached_to_nobody(stack: Rendered) -> None:
    policies = stack.of_type("AWS::IAM::ManagedPolicy")
    assert set(policies) == set(PEOPLE)
    for name, policy in policies.items():
        assert not {"Roles", "Users", "Groups"} & set(policy)
        assert stack.outputs[f"{name}Arn"]["Value"] == stack.arn(name)


@pytest.mark.parametrize("service", COMMAND_LINE)
def test_authors_may_do_what_their_commands_do_and_no_more(service: str, stack: Rendered) -> None:
    granted = {action.partition(":")[2] for action, _ in _policy_pairs(stack, AUTHOR) if _is_of(service, action)}
    assert granted - {"PassRole"} == _needed(COMMAND_LINE[service], service)


@pytest.mark.parametrize("service", OPERATING)
def test_operators_may_do_what_their_commands_do_and_no_more(service: str, filled: Rendered) -> None:
    granted = {action.partition(":")[2] for action, _ in _policy_pairs(filled, OPERATOR) if _is_of(service, action)}
    assert granted == _needed(OPERATING[service], service)


@pytest.mark.parametrize("service", CLEANING)
def test_those_who_clean_up_may_do_what_their_commands_do_and_no_more(service: str, filled: Rendered) -> None:
    granted = {action.partition(":")[2] for action, _ in _policy_pairs(filled, CLEANER) if _is_of(service, action)}
    assert granted - {"PassRole"} == _needed(CLEANING[service], service)


def test_those_who_clean_up_start_nothing_and_list_anywhere_only_what_has_no_resources(filled: Rendered) -> None:
    assert {action for action, resource in _policy_pairs(filled, CLEANER) if resource == "*"} == set(LISTS)
    [passing] = [it for it in _policy_statements(filled, CLEANER) if "iam:PassRole" in as_list(it["Action"])]
    assert passing["Resource"] == [filled.arn(DIRECT), filled.arn(TELLING)]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_people_may_use_no_other_service(filled: Rendered) -> None:
    for policy, adapters in ((AUTHOR, COMMAND_LINE), (OPERATOR, OPERATING), (CLEANER, CLEANING)):
        assert {action.partition(":")[0] for action, _ in _policy_pairs(filled, policy)} == set(adapters)


def test_the_commands_that_there_are_use_no_other_adapters() -> None:
    """A new one belongs into COMMAND_LINE, OPERATING or CLEANING, or works on what is not the stack's.

    Who the caller is may be asked of STS without a permission.
    """
    package = ADAPTERS.parent
    sources = [package / "composition.py", package / "sdk.py", *sorted((package / "cli").glob("*.py"))]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sources if path.exists()]
    modules = [node.module or "" for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported = {name.rpartition(".")[2] for name in modules if name.startswith("pipeline_triggers.adapters.")}
    all_of_them = (*COMMAND_LINE.values(), *OPERATING.values(), *CLEANING.values())
    granted = {adapter for adapters in all_of_them for adapter in adapters}
    assert imported == granted | OF_OTHERS | {"clients", "clock"}


def test_authors_write_the_triggers_and_count_the_quarantine(stack: Rendered) -> None:
    resources = {pair for pair in _policy_pairs(stack, AUTHOR) if pair[0].startswith("dynamodb:")}
    own = {(f"dynamodb:{name}", stack.arn("TriggersTable")) for name in _calls("trigger_store", "dynamodb")}
    own = {pair for pair in own if pair[0].partition(":")[2] not in NO_ACTIONS}
    # Not the table, which has the events.
    assert resources == own | {("dynamodb:Query", stack.arn("QuarantineTable") + "/index/by_reason")}


def test_authors_write_schedules_of_the_stacks_group_only(stack: Rendered) -> None:
    pairs = {pair for pair in _policy_pairs(stack, AUTHOR) if pair[0].startswith("scheduler:")}
    lists = {("scheduler:ListScheduleGroups", "*"), ("scheduler:ListSchedules", "*")}
    # Schedules of all groups may start a pipeline: they are read, not written.
    reads = {("scheduler:GetSchedule", "arn:aws:scheduler:eu-west-1:111122223333:schedule/*/*")}
    writes = {resource for _, resource in pairs - lists - reads}
    assert writes == {"arn:aws:scheduler:eu-west-1:111122223333:schedule/pt/*"}
    assert lists | reads <= pairs
    assert {pair for pair in _policy_pairs(stack, AUTHOR) if pair[1] == "*"} == lists


def test_authors_pass_the_two_roles_of_schedules_to_scheduler_and_to_nothing_else(stack: Rendered) -> None:
    (statement,) = [one for one in _policy_statements(stack, AUTHOR) if "iam:PassRole" in as_list(one["Action"])]
    assert as_list(statement["Action"]) == ["iam:PassRole"]
    assert statement["Resource"] == [stack.arn(DIRECT), stack.arn(TELLING)]
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_authors_may_count_the_messages_of_every_queue_of_the_stack(stack: Rendered) -> None:
    counted = {resource for action, resource in _policy_pairs(stack, AUTHOR) if action == "sqs:GetQueueAttributes"}
    assert counted == {stack.arn(queue) for queue in stack.of_type("AWS::SQS::Queue")}


def test_operators_reach_each_table_as_far_as_their_commands_need(stack: Rendered) -> None:
    granted = {pair for pair in _policy_pairs(stack, OPERATOR) if pair[0].startswith("dynamodb:")}
    indexes = {f"{stack.arn('LedgerTable')}/index/by_{name}" for name in ("trigger", "event", "execution", "state")}
    indexes.add(f"{stack.arn('QuarantineTable')}/index/by_reason")
    assert granted == {
        *(("dynamodb:Query", index) for index in indexes),
        *((f"dynamodb:{name}", stack.arn("TriggersTable")) for name in ("BatchGetItem", "GetItem", "Query")),
        *((f"dynamodb:{name}", stack.arn("LedgerTable")) for name in ("GetItem", "PutItem", "UpdateItem")),
        *((f"dynamodb:{name}", stack.arn("QuarantineTable")) for name in ("DeleteItem", "Query")),
        ("dynamodb:GetItem", stack.arn("CleanupTable")),
    }


def test_every_index_of_the_ledger_is_one_that_operators_may_read(stack: Rendered) -> None:
    declared = {index["IndexName"] for index in stack.properties("LedgerTable")["GlobalSecondaryIndexes"]}
    assert declared == {"by_trigger", "by_event", "by_execution", "by_state"}


def test_operators_take_from_the_dead_letter_queues_only_and_fill_the_others_only(stack: Rendered) -> None:
    pairs = _policy_pairs(stack, OPERATOR)
    stuck = {stack.arn("DeadLetterQueue"), stack.arn("UndeliveredQueue")}
    work = {stack.arn(queue) for queue in stack.of_type("AWS::SQS::Queue")} - stuck
    for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"):
        assert {resource for granted, resource in pairs if granted == f"sqs:{action}"} == stuck
    assert {resource for granted, resource in pairs if granted == "sqs:SendMessage"} == work
    assert {resource for granted, resource in pairs if granted == "sqs:GetQueueAttributes"} == stuck | work


def test_operators_start_what_the_functions_start(filled: Rendered, empty: Rendered) -> None:
    actions = {"sagemaker:StartPipelineExecution", "sagemaker:DescribePipelineExecution", "sts:AssumeRole"}
    for stack in (filled, empty):
        of_functions = {pair for pair in _pairs(stack, "BusEventRole") if pair[0] in actions}
        assert {pair for pair in _policy_pairs(stack, OPERATOR) if pair[0] in actions} == of_functions


def test_operators_have_one_action_on_any_resource_which_knows_no_other(stack: Rendered) -> None:
    anywhere = {action for action, resource in _policy_pairs(stack, OPERATOR) if resource == "*"}
    assert anywhere == {"scheduler:ListSchedules"}


def test_operators_read_the_schedules_of_the_stack_and_write_none(stack: Rendered) -> None:
    assert {pair for pair in _policy_pairs(stack, OPERATOR) if pair[0].startswith("scheduler:")} == {
        ("scheduler:ListSchedules", "*"),
        ("scheduler:GetSchedule", "arn:aws:scheduler:eu-west-1:111122223333:schedule/pt/*"),
    }


@pytest.mark.parametrize("policy", PEOPLE)
def test_a_policy_of_people_is_not_longer_than_iam_allows(policy: str, filled: Rendered) -> None:
    document = json.dumps(filled.properties(policy)["PolicyDocument"], separators=(",", ":"))
    # 6,144 characters; a stack's name has up to 128, and the ARNs of roles are longer than here.
    assert len(document) < 4000


def _policy_statements(stack: Rendered, policy: str) -> list[Mapping[str, Any]]:
    return statements(stack.properties(policy)["PolicyDocument"])


def _policy_pairs(stack: Rendered, policy: str) -> set[tuple[str, str]]:
    """Each action of a managed policy with each resource it is allowed on."""
    return {
        (action, resource)
        for statement in _policy_statements(stack, policy)
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def _is_of(service: str, action: str) -> bool:
    return action.startswith(f"{service}:")


def _needed(adapters: Mapping[str, set[str]], service: str) -> set[str]:
    """What commands call of a service through its adapters."""
    needed: set[str] = set()
    for adapter, not_by_commands in adapters.items():
        called = _calls(adapter, service)
        assert not_by_commands <= called, f"{adapter} does not call {not_by_commands - called} any more"
        needed |= called - not_by_commands - NO_ACTIONS
    return needed


def _calls(adapter: str, service: str) -> set[str]:
    """The operations of a service that an adapter calls, or hands on to be called, by AWS's names."""
    operations = {xform_name(name): name for name in Session().get_service_model(service).operation_names}
    tree = ast.parse((ADAPTERS / f"{adapter}.py").read_text(encoding="utf-8"))
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {operations[name] for name in called & set(operations)}
