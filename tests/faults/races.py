"""Which test covers which race of the clean-up, R1 to R21, and its faults, F30 to F37, of the catalogue."""

from __future__ import annotations

from tests.faults.cases import Case

ALL_RACES = "faults/test_r_cleanup.py"
MACHINE = "faults/test_state_machine_cleanup.py"
MUTATIONS = "faults/test_mutations_cleanup.py"
RACE = f"{ALL_RACES}::test_"
STACK = "integration/test_cleanup.py::test_"
UNIT = "unit/"
TEMPLATE = "template/"


def _race(situation: str, decision: str, *tests: str) -> Case:
    return Case(situation, decision, tests)


RACES: dict[str, Case] = {
    "R1": _race(
        "deleted, and made again under the same name before we run",
        "kept: the pipeline is asked for, not the event",
        RACE + "a_pipeline_that_was_made_again_before_its_deletion_is_heard_of_keeps_everything",
        STACK + "a_pipeline_that_was_made_again_keeps_its_schedules",
        MACHINE,
    ),
    "R2": _race(
        "made again between the check and the delete",
        "checked right before the deletes, again after 5 s or 50 of them; the definition is kept before",
        RACE + "a_pipeline_that_is_made_again_between_the_check_and_the_deletes_keeps_what_is_left",
        RACE + "a_pipeline_that_is_made_again_while_the_clean_up_looks_keeps_everything",
        RACE + "a_pipeline_that_is_made_again_between_two_sweeps_keeps_everything",
        STACK + "a_pipeline_that_is_made_again_between_question_and_deletes_keeps_its_schedules",
        STACK + "the_whole_definition_is_stored",
        UNIT + "cleanup/test_deleting.py::test_the_pipeline_is_asked_for_again_after_so_long",
    ),
    "R3": _race(
        "a schedule is made or changed after the deletion",
        "left alone by what runs, swept when its grace is over",
        RACE + "a_schedule_that_is_made_or_changed_after_the_deletion_is_not_touched_by_what_runs_then",
    ),
    "R4": _race(
        "a schedule is made before its pipeline",
        "the grace, and an orphan must be seen twice",
        RACE + "a_schedule_that_is_made_before_its_pipeline_is_left_alone_by_sweeps",
    ),
    "R5": _race(
        "DeletePipeline failed",
        "ignored by the rule and by the code",
        RACE + "a_deletion_that_failed_is_none",
        STACK + "a_deletion_that_fails_changes_nothing",
        TEMPLATE + "test_rules.py",
    ),
    "R6": _race(
        "the pipeline is in the status Deleting",
        "tried again later",
        RACE + "a_pipeline_that_is_being_deleted_is_waited_for",
        STACK + "a_pipeline_that_is_being_deleted_is_waited_for",
    ),
    "R7": _race(
        "names, ARNs, their case, names that contain one another",
        "ARNs whole and casefolded",
        RACE + "names_and_arns_mean_the_same_pipeline_in_any_case",
        RACE + "a_pipeline_whose_name_contains_another_is_another",
        RACE + "a_schedule_in_another_case_than_its_pipeline_stays_with_it",
        STACK + "a_describe_that_heeds_the_case_deletes_nothing",
    ),
    "R8": _race(
        "the same name in another account or Region",
        "another pipeline",
        RACE + "the_same_name_in_another_account_or_region_is_another_pipeline",
    ),
    "R9": _race(
        "schedules whose input names the pipeline or a trigger",
        "read, and read again before the delete",
        RACE + "the_universal_target_is_known_by_its_input",
        RACE + "a_trigger_of_two_pipelines_keeps_its_schedule_until_both_are_gone",
        UNIT + "domain/test_owners.py",
    ),
    "R10": _race("schedule groups", "all of them", RACE + "schedules_of_all_groups_go"),
    "R11": _race(
        "deleting shifts the pages",
        "all is listed before the first delete; the sweep finds what others shifted",
        RACE + "schedules_are_listed_before_the_first_is_deleted",
        RACE + "pages_that_shift_while_others_delete_hide_nothing_for_long",
    ),
    "R12": _race(
        "a delete fails, or the schedule is gone already",
        "told, tried again where it may help; gone is as it should be",
        RACE + "a_delete_that_fails_is_told_and_the_others_go_on",
        RACE + "a_schedule_that_is_gone_already_is_no_error",
        STACK + "a_schedule_that_is_gone_already_is_deleted",
    ),
    "R13": _race(
        "a run ends in the middle",
        "each schedule's result is told, the next run finishes",
        RACE + "a_run_that_is_cut_short_is_finished_by_the_next",
        RACE + "a_delete_that_fails_is_told_and_the_others_go_on",
    ),
    "R14": _race(
        "an answer about the pipeline that is not a clear ResourceNotFound",
        "everything is kept",
        RACE + "an_answer_about_the_pipeline_that_is_not_clear_keeps_everything",
        RACE + "a_pipeline_that_the_list_does_not_have_yet_is_found_by_its_arn",
        STACK + "a_describe_that_does_not_say_not_found_deletes_nothing",
        STACK + "a_list_that_cannot_be_trusted_deletes_nothing",
    ),
    "R15": _race(
        "rules of EventBridge that target the pipeline",
        "reported; targets removed when told to; rules never deleted, managed ones never touched",
        RACE + "rules_lose_their_targets_only_when_told_to_and_are_never_deleted",
        RACE + "the_clean_up_cannot_delete_a_group_a_rule_or_a_pipeline",
        UNIT + "cleanup/test_rules_and_marks.py",
    ),
    "R16": _race(
        "schedules of others in the group",
        "only those that start the pipeline; groups are never deleted",
        RACE + "whatever_else_is_in_a_group_stays_and_so_does_the_group",
        RACE + "the_clean_up_cannot_delete_a_group_a_rule_or_a_pipeline",
    ),
    "R17": _race(
        "protected schedules",
        "by tag of the group, by name, by description; names also by IAM",
        RACE + "what_is_protected_stays",
        RACE + "protection_that_comes_between_two_sweeps_counts",
        TEMPLATE + "test_roles.py::test_a_clean_up_is_denied_to_delete_what_is_protected_by_name",
    ),
    "R18": _race(
        "far too many orphans",
        "nothing is deleted, and there is an alarm",
        RACE + "too_many_orphans_are_no_orphans_but_an_accident",
        TEMPLATE
        + "test_queues.py::test_a_clean_up_that_was_too_large_has_its_alarm_on_the_metric_that_the_function_writes",
    ),
    "R19": _race(
        "no event comes",
        "two sweeps later it is gone",
        RACE + "a_deletion_that_nobody_reports_is_made_good_within_two_sweeps",
        RACE + "pipelines_are_asked_for_after_the_schedules_were_listed",
        STACK + "an_orphan_whose_deletion_nobody_reported_is_swept_away",
        MACHINE,
    ),
    "R20": _race(
        "events come twice, late, out of order",
        "nothing to do",
        RACE + "an_event_that_comes_twice_or_after_the_sweep_finds_nothing_to_do",
        RACE + "a_pipeline_that_was_made_again_before_its_deletion_is_heard_of_keeps_everything",
        MACHINE,
    ),
    "R21": _race(
        "DeletePipeline of another service",
        "ignored by the rule and by the code",
        RACE + "deletions_of_other_services_pipelines_are_not_ours",
        TEMPLATE + "test_rules.py",
    ),
    "F30": _race(
        "an event with errorCode, of CodePipeline, of another account or Region",
        "ignored",
        UNIT + "test_cleanup_invocation.py::test_an_event_that_deletes_nothing_is_acknowledged_with_the_reason",
        UNIT + "sources/test_cloudtrail.py",
    ),
    "F31": _race("deleted and made again, before and during the clean-up", "as R1 and R2", ALL_RACES),
    "F32": _race(
        "250 schedules over pages and groups, mixed case, a prefix twin, universal targets",
        "exactly the right ones",
        STACK + "a_deleted_pipeline_loses_its_schedules_and_the_others_keep_theirs",
    ),
    "F33": _race(
        "DeleteSchedule fails for one of fifty",
        "49 done, one told, the next run finishes",
        STACK + "one_schedule_that_cannot_be_deleted_does_not_hold_up_the_others",
    ),
    "F34": _race(
        "DescribePipeline is throttled, fails, is denied, answers nonsense",
        "nothing is deleted",
        STACK + "a_describe_that_does_not_say_not_found_deletes_nothing",
    ),
    "F35": _race(
        "CloudTrail's event is missed",
        "swept within two intervals and the grace, not before the grace",
        RACE + "a_deletion_that_nobody_reports_is_made_good_within_two_sweeps",
        MUTATIONS,
    ),
    "F36": _race(
        "more than the cap; a protected group or name",
        "nothing is deleted, the alarm's metric is written",
        UNIT + "cleanup/test_deleting.py",
        UNIT + "test_observability.py::test_too_much_to_delete_is_an_error_and_counted",
    ),
    "F37": _race(
        "two clean-ups at once",
        "each schedule is deleted once, and no error comes up",
        RACE + "two_clean_ups_at_once_delete_each_schedule_and_surface_no_error",
        UNIT + "cleanup/test_looking.py::test_another_message_does_not_disturb_a_sweep_that_is_under_way",
    ),
}
