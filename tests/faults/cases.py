"""Which test covers which fault: the cases F1 to F29 and F38 of the catalogue that this project was tested against.

T: transient, the message stays. Q: quarantine. D: acknowledged as a duplicate.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One fault, what is expected of it, and the tests that show it, as ``file::test`` below tests/."""

    fault: str
    expected: str
    tests: tuple[str, ...]


def _case(fault: str, expected: str, *tests: str) -> Case:
    return Case(fault, expected, tests)


CALLS, CRASHES, EVENTS, LONG = (f"faults/test_f_{name}.py::test_" for name in ("calls", "crashes", "events", "long"))
UNIT = "unit/"

CASES: dict[str, Case] = {
    "F1": _case(
        "throttled once, 20 times, for an hour",
        "started once, nothing in the dead-letter queue, the receive count grows",
        CALLS + "a_throttle_a_limit_or_a_conflict_passes_and_the_start_is_made_once",
        LONG + "a_start_that_is_throttled_twenty_times_is_made_once",
        LONG + "an_hour_of_throttling_costs_few_receipts_and_then_everything_is_started_once",
    ),
    "F2": _case(
        "10,000 events at once, two starts a second",
        "all started, nothing in a dead-letter queue, fewer than 1.2 calls for each event",
        "faults/test_burst.py::test_a_burst_on_four_queues_starts_every_event_once_with_hardly_more_calls_than_events",
    ),
    "F3": _case(
        "the connection breaks before the server acts",
        "tried again, one execution",
        CALLS + "a_connection_that_breaks_before_the_start_is_tried_again_and_started_once",
    ),
    "F4": _case(
        "the answer is lost after the server acted",
        "one execution, by its token",
        CALLS + "a_start_whose_answer_is_lost_is_not_made_again",
        CALLS + "a_start_whose_answer_is_lost_is_not_made_again_when_it_is_not_listed_yet",
    ),
    "F5": _case(
        "as F4, and the token is forgotten",
        "one execution, found by its name",
        CALLS + "a_start_whose_answer_is_lost_is_not_made_again_when_the_token_is_forgotten",
    ),
    "F6": _case(
        "an answer comes later than the function has time",
        "T before the deadline, no timeout of the function",
        CALLS + "an_answer_that_is_too_late_ends_the_function_before_its_deadline",
    ),
    "F7": _case(
        "killed after the start, before the ledger knows",
        "redelivered and found, by token or name",
        CRASHES + "a_function_killed_after_the_start_does_not_start_again",
        CRASHES + "a_function_killed_at_any_step_of_a_start_has_it_made_once_all_the_same",
    ),
    "F8": _case(
        "killed between ledger and start",
        "started when the lease is over",
        CRASHES + "a_function_killed_before_the_start_starts_as_soon_as_its_message_is_back",
        CRASHES + "a_function_killed_at_any_step_of_a_start_has_it_made_once_all_the_same",
    ),
    "F9": _case(
        "a timeout in the middle of a batch",
        "what is done is not repeated, the rest is done",
        CRASHES + "what_was_done_before_a_function_was_killed_is_not_done_again_and_the_rest_is_done",
        CRASHES + "a_function_that_hangs_in_the_middle_of_a_batch_is_ended_and_its_batch_is_done_once_all_the_same",
        UNIT + "local/test_poller.py::test_a_function_that_takes_too_long_is_killed_and_its_batch_stays",
    ),
    "F10": _case(
        "the ledger is throttled or down, or a table answers nonsense",
        "T, nothing starts",
        CALLS + "without_the_ledger_nothing_starts_and_the_message_stays",
        CALLS + "a_page_of_a_proxy_in_place_of_the_triggers_loses_no_event",
    ),
    "F11": _case(
        "the ledger cannot be told of a start",
        "T, then found; one execution",
        CALLS + "a_start_that_the_ledger_could_not_be_told_of_is_found_and_not_repeated",
    ),
    "F12": _case(
        "a worker comes back when its lease is lost",
        "fenced, the record is as it was",
        CRASHES + "a_worker_that_fails_after_its_lease_leaves_the_record_of_its_successor_as_it_is",
        CRASHES + "a_worker_that_starts_after_its_lease_gets_the_execution_of_its_successor",
    ),
    "F13": _case(
        "two workers, one event, one moment",
        "one execution, the other T or D",
        CRASHES + "two_functions_with_the_same_event_at_the_same_moment_start_it_once",
    ),
    "F14": _case(
        "SageMaker sends three events for one Completed",
        "one execution",
        EVENTS + "three_reports_of_one_completed_training_job_start_one_execution",
    ),
    "F15": _case(
        "an endpoint is in service, and again after an update",
        "two executions",
        EVENTS + "an_endpoint_that_is_in_service_again_after_an_update_starts_again",
    ),
    "F16": _case(
        "one upload by EventBridge and by SNS",
        "one execution",
        EVENTS + "an_upload_that_eventbridge_and_sns_report_starts_one_execution",
        "integration/test_sample_events.py::test_one_upload_that_is_reported_by_every_route_starts_one_execution",
    ),
    "F17": _case(
        "an object is overwritten, the events come out of order",
        "two executions, the newer can be told",
        EVENTS + "an_object_that_is_overwritten_starts_twice_and_the_record_says_which_was_the_newer",
    ),
    "F18": _case(
        "SNS delivers again in another SQS message",
        "one execution",
        EVENTS + "a_notification_that_sns_delivers_again_starts_nothing_more",
    ),
    "F19": _case(
        "one of three records of a message is bad",
        "two started, one Q, the message acknowledged once",
        EVENTS + "a_message_with_three_records_of_which_one_is_bad_starts_two_and_is_acknowledged",
    ),
    "F20": _case(
        "malformed JSON, an empty body, S3's test event, text from SNS",
        "Q or acknowledged, the batch goes on",
        EVENTS + "what_cannot_be_read_is_kept_or_acknowledged_and_never_ends_the_batch",
        UNIT + "test_invocation.py::test_an_s3_test_event_is_acknowledged_quietly",
    ),
    "F21": _case(
        "a handler that returns nothing",
        "the answer always names the failures",
        EVENTS + "a_batch_is_always_answered_with_the_failures_in_it",
    ),
    "F22": _case(
        "values that are missing, null, objects, floats, too long, surrogates, NaN",
        "Q with the reason, or the documented conversion",
        UNIT + "domain/test_parameters.py",
        UNIT + "domain/test_templates.py",
        UNIT + "domain/test_paths_properties.py",
        UNIT + "sources/test_hostile.py::test_what_json_cannot_carry_on_is_refused_before_a_path_sees_it",
    ),
    "F23": _case(
        "1 MB, 100,000 levels, 50,000 names",
        "bounded time and memory, Q when it is too much",
        EVENTS + "a_huge_event_is_handled_within_the_memory_of_the_function",
        UNIT + "sources/test_hostile.py",
    ),
    "F24": _case(
        "ResourceLimitExceeded, ConflictException",
        "T with a growing delay",
        CALLS + "a_throttle_a_limit_or_a_conflict_passes_and_the_start_is_made_once",
    ),
    "F25": _case(
        "AccessDenied, ValidationException, no pipeline",
        "Q after the policy's time, others unaffected",
        CALLS + "what_does_not_settle_in_fifteen_minutes_is_in_quarantine",
        CALLS + "a_request_that_sagemaker_refuses_is_in_quarantine_at_once_and_its_neighbours_start",
    ),
    "F26": _case(
        "a poison message among 1,000",
        "1,000 started, the poison Q on its first receipt",
        LONG + "a_poison_message_among_a_thousand_is_kept_when_it_is_first_received_and_the_others_start",
    ),
    "F27": _case(
        "a target without permission or dead-letter queue",
        "the template has both for each rule and subscription",
        "template/test_rules.py",
        "template/test_queues.py",
    ),
    "F28": _case(
        "the trigger changes between two attempts",
        "one execution, the change is reported",
        EVENTS + "a_change_of_the_trigger_between_two_attempts_does_not_start_again_and_is_reported",
        EVENTS + "a_change_of_the_trigger_after_an_attempt_without_effect_counts_and_is_reported",
    ),
    "F29": _case(
        "a redrive 13 days later",
        "D if it was started, else started; the ledger remembers for longer",
        EVENTS + "a_redrive_thirteen_days_later_starts_only_what_was_not_started",
        EVENTS + "the_ledger_remembers_for_longer_than_an_event_can_be_on_its_way",
    ),
    "F38": _case(
        "control characters and forged lines in a key or a body",
        "one JSON line for each decision, nothing of the payload",
        EVENTS + "text_of_an_event_cannot_forge_a_line_of_the_log_and_no_payload_is_in_it",
        UNIT + "test_observability.py",
    ),
}
