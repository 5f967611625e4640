"""The races of the clean-up, R1 to R21, on fakes: what may happen between any two of its calls, and what it then does.

SageMaker is the adapter over an API that heeds the case of ARNs, and over one that does not.
"""

from __future__ import annotations

import ast
import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.orphans import GRACE, Kept
from pipeline_triggers.errors import AwsError, PermanentError, TransientError
from pipeline_triggers.sources.cloudtrail import PipelineCall, pipeline_call
from tests.fakes.estate import HERE, UNIVERSAL, World, deleted, failed, kept, trigger_of
from tests.fakes.pipelines import HOME
from tests.fakes.sagemaker import FakeSageMaker
from tests.sample_events import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline_triggers.domain.orphans import Report

PACKAGE = Path(__file__).parents[2] / "layers/shared/pipeline_triggers"
GONE = f"{HERE}abalone"
THROTTLED = TransientError("throttled", "Rate exceeded")
UNSURE = [
    "ThrottlingException",
    "AccessDeniedException",
    "InternalFailure",
    "ValidationException",
    "ResourceNotFoundException",
]


class Scene:
    """A world whose pipelines are those of a SageMaker; ``sweeps`` are two, with the grace before and between them."""

    def __init__(self, *, heeds_case: bool = False, lowers_arns: bool = True) -> None:
        self.world = World()
        self.sagemaker = FakeSageMaker(heeds_case, lowers_arns)
        self.world.pipelines = SageMakerPipelines(cast("Any", self.sagemaker), HOME, self.world.clock)

    def schedule(self, name: str, pipeline: str = GONE, **options: Any) -> None:
        """Of the SageMaker SDK's kind, and older than the grace."""
        self.world.schedules.add(name, pipeline, **options)
        self.world.clock.advance(seconds=GRACE.total_seconds())

    def event(self, name: str = "Abalone", arn: str = "") -> Report:
        """CloudTrail reports a deletion, and the clean-up follows."""
        call = pipeline_call(_event(name, arn or self.sagemaker.arn(name)), HOME)
        if isinstance(call, Kept):
            raise AssertionError(call.reason)
        return self.world.on_deleted(call.pipeline_arn)

    def sweeps(self) -> Report:
        """Two sweeps, a grace apart."""
        self.world.sweep()
        self.world.clock.advance(seconds=GRACE.total_seconds())
        return self.world.sweep()

    def before(self, port: Any, method: str, happens: Callable[[], object], *, call: int = 1) -> None:
        """Let something happen, once, right before a call of a port."""
        original = getattr(port, method)
        calls = [0]

        def interfering(*arguments: Any, **options: Any) -> Any:
            calls[0] += 1
            if calls[0] == call:
                happens()
            return original(*arguments, **options)

        setattr(port, method, interfering)

    @property
    def names(self) -> set[str]:
        """The schedules that there are."""
        return self.world.schedules.names


@pytest.fixture(params=["any case", "exact case", "exact case, ARNs as written"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """On each SageMaker that there may be."""
    return Scene(heeds_case=request.param != "any case", lowers_arns="as written" not in request.param)


@pytest.fixture(params=["event", "sweep"])
def clean_up(request: pytest.FixtureRequest, scene: Scene) -> Callable[[], Report]:
    """By an event, or by sweeps."""
    return scene.event if request.param == "event" else scene.sweeps


def test_a_pipeline_that_was_made_again_before_its_deletion_is_heard_of_keeps_everything(
    scene: Scene, clean_up: Callable[[], Report]
) -> None:
    """R1, R20. Deleted and made again under the same name; the event comes late, and then once more."""
    scene.schedule("nightly")
    scene.sagemaker.create("Abalone")
    scene.sagemaker.delete("Abalone")
    scene.sagemaker.create("Abalone")
    for _ in range(2):
        assert kept(clean_up()) == {"nightly": "pipeline-exists"}
    assert scene.names == {"nightly"}


def test_a_pipeline_that_is_made_again_between_the_check_and_the_deletes_keeps_what_is_left(scene: Scene) -> None:
    """R2. Up to the last question; what goes in the moment after it can be put back."""
    for name in "abc":
        scene.schedule(name)
    delete = scene.world.schedules.delete

    def slow(group: str, name: str) -> None:
        scene.sagemaker.create("Abalone")
        delete(group, name)
        scene.world.clock.advance(seconds=6)

    scene.world.schedules.delete = slow  # type: ignore[method-assign]
    report = scene.event()
    assert deleted(report) == {"a"}
    assert kept(report) == {"b": "pipeline-exists", "c": "pipeline-exists"}
    (definition,) = scene.world.store.kept(GONE)
    assert definition.document["Name"] == "a"


@pytest.mark.parametrize("moment", ["groups", "page"])
def test_a_pipeline_that_is_made_again_while_the_clean_up_looks_keeps_everything(scene: Scene, moment: str) -> None:
    """R2. Whenever it is before the question that counts."""
    scene.schedule("nightly")
    scene.before(scene.world.schedules, moment, lambda: scene.sagemaker.create("Abalone"))
    assert kept(scene.event()) == {"nightly": "pipeline-exists"}


def test_a_pipeline_that_is_made_again_between_two_sweeps_keeps_everything(scene: Scene) -> None:
    """R2. The orphan was seen once."""
    scene.schedule("nightly")
    scene.world.sweep()
    scene.sagemaker.create("Abalone")
    scene.world.clock.advance(hours=6)
    scene.before(scene.world.store, "orphans", lambda: None)
    assert kept(scene.world.sweep()) == {"nightly": "pipeline-exists"}
    assert scene.world.store.seen == {}


def test_a_schedule_that_is_made_or_changed_after_the_deletion_is_not_touched_by_what_runs_then(
    scene: Scene, clean_up: Callable[[], Report]
) -> None:
    """R3. And goes by the next sweeps, for its pipeline is still gone."""
    scene.schedule("nightly")

    def change() -> None:
        scene.world.clock.advance(seconds=1)
        scene.world.schedules.add("nightly", GONE, ScheduleExpression="rate(2 days)")
        scene.world.schedules.add("new", GONE)

    scene.before(scene.world.schedules, "get", change)
    assert kept(clean_up())["nightly"] == "changed"
    assert scene.names == {"nightly", "new"}
    scene.world.clock.advance(seconds=GRACE.total_seconds())
    assert deleted(scene.sweeps()) == {"nightly", "new"}


def test_a_schedule_that_is_made_before_its_pipeline_is_left_alone_by_sweeps(scene: Scene) -> None:
    """R4. By the grace, and because an orphan must be seen twice."""
    scene.world.schedules.add("nightly", GONE)
    for minutes in (1, 10, 3):
        scene.world.clock.advance(minutes=minutes)
        assert kept(scene.world.sweep()) == {"nightly": "too-young"}
    scene.world.clock.advance(minutes=2)
    assert kept(scene.world.sweep()) == {"nightly": "seen-once"}
    scene.sagemaker.create("Abalone")
    scene.world.clock.advance(hours=6)
    assert kept(scene.world.sweep()) == {"nightly": "pipeline-exists"}


@pytest.mark.parametrize("field", ["errorCode", "errorMessage"])
def test_a_deletion_that_failed_is_none(scene: Scene, field: str) -> None:
    """R5. The rule lets it not through; the code looks again."""
    event = _event("Abalone", GONE)
    detail = {**event.detail, field: "AccessDenied"}
    assert pipeline_call(Event({**event.envelope, "detail": detail}), HOME) == Kept(GONE, "call-failed")


def test_a_pipeline_that_is_being_deleted_is_waited_for(scene: Scene, clean_up: Callable[[], Report]) -> None:
    """R6. It may fail to be deleted."""
    scene.schedule("nightly")
    scene.sagemaker.create("Abalone")
    scene.sagemaker.deleting.add("abalone")
    report = clean_up()
    assert scene.names == {"nightly"}
    assert bool(report.to_retry) == (clean_up == scene.event), "a sweep sees it listed, and comes again anyway"
    scene.sagemaker.delete("Abalone")
    scene.world.clock.advance(hours=6)
    assert deleted(clean_up()) == {"nightly"}


@pytest.mark.parametrize("named", ["Abalone", "abalone", f"{HERE}Abalone", GONE])
def test_names_and_arns_mean_the_same_pipeline_in_any_case(scene: Scene, named: str) -> None:
    """R7. CloudTrail may have the name, or an ARN, in the request or in the answer."""
    for number, spelling in enumerate((GONE, f"{HERE}Abalone", f"{HERE}ABALONE")):
        scene.schedule(f"s{number}", spelling)
    event = _event(named, "")
    call = pipeline_call(event, HOME)
    assert isinstance(call, PipelineCall)
    assert deleted(scene.world.on_deleted(call.pipeline_arn)) == {"s0", "s1", "s2"}


@pytest.mark.parametrize("twin", ["abalone2", "an-abalone", "abalon", "abalone-abalone"])
def test_a_pipeline_whose_name_contains_another_is_another(
    scene: Scene, clean_up: Callable[[], Report], twin: str
) -> None:
    """R7. Neither ends with, nor begins with, nor contains."""
    scene.sagemaker.create(twin)
    scene.schedule("of-twin", f"{HERE}{twin}")
    scene.schedule("nightly")
    assert deleted(clean_up()) == {"nightly"}
    assert scene.names == {"of-twin"}


@pytest.mark.parametrize("spelling", [GONE, f"{HERE}Abalone", f"{HERE}ABALONE"])
def test_a_schedule_in_another_case_than_its_pipeline_stays_with_it(
    scene: Scene, clean_up: Callable[[], Report], spelling: str
) -> None:
    """R7. Whatever DescribePipeline makes of it."""
    scene.schedule("nightly", spelling)
    scene.sagemaker.create("Abalone")
    assert kept(clean_up()) == {"nightly": "pipeline-exists"}


@pytest.mark.parametrize(
    "elsewhere", [GONE.replace("us-east-1", "eu-west-1"), GONE.replace("123456789012", "210987654321")]
)
def test_the_same_name_in_another_account_or_region_is_another_pipeline(
    scene: Scene, clean_up: Callable[[], Report], elsewhere: str
) -> None:
    """R8. Neither its schedules go, nor is its deletion ours."""
    scene.schedule("theirs", elsewhere)
    scene.schedule("nightly")
    assert deleted(clean_up()) == {"nightly"}
    assert scene.names == {"theirs"}
    assert [it.reason for it in scene.world.on_deleted(elsewhere).kept] == ["not-at-home"]


@pytest.mark.parametrize("named", ["Abalone", GONE])
def test_the_universal_target_is_known_by_its_input(scene: Scene, clean_up: Callable[[], Report], named: str) -> None:
    """R9. A list shows only the universal ARN."""
    scene.world.add_universal("universal", json.dumps({"PipelineName": named}))
    scene.world.add_universal("of-other", json.dumps({"PipelineName": "abalone2"}))
    scene.sagemaker.create("abalone2")
    scene.world.clock.advance(seconds=GRACE.total_seconds())
    assert deleted(clean_up()) == {"universal"}
    scene.world.add_universal("universal", json.dumps({"PipelineName": named}))
    scene.world.clock.advance(seconds=GRACE.total_seconds())
    scene.before(
        scene.world.schedules,
        "get",
        lambda: scene.world.add_universal("universal", json.dumps({"PipelineName": "abalone2"})),
        call=1,
    )
    assert clean_up().deleted == (), "it names another by now"
    assert scene.names == {"universal", "of-other"}


def test_schedules_of_all_groups_go(scene: Scene, clean_up: Callable[[], Report]) -> None:
    """R10. Also of a group that was made a moment ago."""
    for group in ("default", "local", "mine-2"):
        scene.schedule(f"of-{group}", group=group)
    assert deleted(clean_up()) == {"of-default", "of-local", "of-mine-2"}


def test_pages_that_shift_while_others_delete_hide_nothing_for_long(scene: Scene) -> None:
    """R11. Everything is listed before anything is deleted; what others shift meanwhile, the next sweep sees."""
    scene.world.schedules.page_size = 2
    for number in range(9):
        scene.schedule(f"s{number}")
    page = scene.world.schedules.page
    tokens: list[Any] = []

    def by_number(group: str, token: str | None = None) -> Any:
        """Tokens that count: what is deleted on an earlier page makes later ones skip."""
        whole = page(group)
        names = sorted(name for its_group, name in scene.world.schedules._definitions if its_group == group)
        first = int(token or 0)
        shown = [scene.world.schedules._told(group, name) for name in names[first : first + 2]]
        tokens.append((group, first))
        return type(whole)(shown, str(first + 2) if first + 2 < len(names) else None)

    scene.world.schedules.page = by_number  # type: ignore[method-assign]
    orders: list[str] = []
    scene.before(scene.world.schedules, "delete", lambda: orders.append(f"{len(tokens)} pages before"))
    scene.before(scene.world.schedules, "page", lambda: scene.world.schedules.delete("default", "s0"), call=3)
    scene.event()
    assert len(scene.names) <= 1
    scene.sweeps()
    assert scene.names == set()


def test_schedules_are_listed_before_the_first_is_deleted(scene: Scene, clean_up: Callable[[], Report]) -> None:
    """R11. However DeleteSchedule may shift the pages."""
    scene.world.schedules.page_size = 2
    for number in range(9):
        scene.schedule(f"s{number}")
    assert len(clean_up().deleted) == 9
    methods = [call.method for call in scene.world.schedules.calls if call.method in ("page", "delete")]
    assert "page" not in methods[methods.index("delete") :]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (THROTTLED, True),
        (TransientError("conflict", "ConflictException"), True),
        (TransientError("unavailable", "InternalServerException", acted=True), True),
        (TransientError("denied-yet", "AccessDeniedException"), True),
        (PermanentError("refused-by-sagemaker", "ValidationException"), False),
    ],
)
def test_a_delete_that_fails_is_told_and_the_others_go_on(
    scene: Scene, clean_up: Callable[[], Report], error: AwsError, again: bool
) -> None:
    """R12, R13. The next run finishes, and finds nothing to do for those that are gone."""
    for number in range(20):
        scene.schedule(f"s{number:02d}")
    scene.world.schedules.fail("delete", *[error])
    report = clean_up()
    assert len(report.deleted) == 19
    assert failed(report) == {"s00": error.reason}
    assert bool(report.to_retry) is again
    scene.world.sweep()
    scene.world.clock.advance(hours=2)
    clean_up()
    assert scene.names == set()
    assert len(list(scene.world.store.kept(GONE))) == 20, "each definition once"


def test_a_schedule_that_is_gone_already_is_no_error(scene: Scene, clean_up: Callable[[], Report]) -> None:
    """R12. Somebody else was faster."""
    scene.schedule("a")
    scene.schedule("b")
    scene.before(scene.world.schedules, "get", lambda: scene.world.schedules.delete("default", "a"))
    report = clean_up()
    assert deleted(report) == {"a", "b"}
    assert report.failed == ()


@pytest.mark.parametrize("calls", range(1, 4))
def test_a_run_that_is_cut_short_is_finished_by_the_next(scene: Scene, calls: int) -> None:
    """R13. A function that is killed at any of its deletes."""
    for name in "abcd":
        scene.schedule(name)
    scene.world.sweep()
    scene.world.clock.advance(hours=6)

    def killed() -> None:
        raise KeyboardInterrupt

    scene.before(scene.world.schedules, "delete", killed, call=calls)
    with pytest.raises(KeyboardInterrupt):
        scene.world.sweep()
    assert len(scene.names) == 4 - (calls - 1)
    report = scene.world.sweep()
    assert scene.names == set()
    assert report.failed == ()
    assert len(list(scene.world.store.kept(GONE))) == 4


@pytest.mark.parametrize("question", [1, 2, 3, 4])
@pytest.mark.parametrize("code", UNSURE)
def test_an_answer_about_the_pipeline_that_is_not_clear_keeps_everything(
    scene: Scene, code: str, question: int
) -> None:
    """R14. At whichever of the questions it comes."""
    scene.schedule("nightly", f"{HERE}Abalone")
    asked = [0]
    fail = scene.sagemaker._fail

    def once(operation: str) -> None:
        asked[0] += 1
        if asked[0] == question:
            scene.sagemaker.errors.append(code)
        fail(operation)

    scene.sagemaker._fail = once  # type: ignore[method-assign]
    report = scene.event()
    assert list(failed(report)) == ["nightly"]
    assert scene.names == {"nightly"}


def test_a_pipeline_that_the_list_does_not_have_yet_is_found_by_its_arn(
    scene: Scene, clean_up: Callable[[], Report]
) -> None:
    """R14. The list may lag behind; SageMaker writes ARNs in lower case."""
    scene.sagemaker.lowers_arns = True
    scene.schedule("nightly", f"{HERE}Abalone")
    scene.sagemaker.create("Abalone")
    scene.sagemaker.unlisted.add("abalone")
    assert kept(clean_up()) == {"nightly": "pipeline-exists"}


def test_rules_lose_their_targets_only_when_told_to_and_are_never_deleted(
    scene: Scene, clean_up: Callable[[], Report]
) -> None:
    """R15. Managed rules keep theirs whatever is told; a failed entry is told."""
    scene.world.rules.add("on-upload", GONE, f"{HERE}abalone2", bus="features")
    scene.world.rules.add("AutoRule", GONE, managed_by="some.amazonaws.com")
    scene.sagemaker.create("abalone2")
    assert kept(clean_up()) == {"on-upload#1": "rule-reported", "AutoRule#1": "managed-rule"}
    scene.world.set_policy(rule_targets="remove")
    scene.world.rules.stuck["1"] = THROTTLED
    assert failed(clean_up()) == {"on-upload#1": "throttled"}
    scene.world.rules.stuck.clear()
    assert clean_up().failed == ()
    assert scene.world.rules.ids == {("features", "on-upload"): ["2"], ("default", "AutoRule"): ["1"]}


def test_whatever_else_is_in_a_group_stays_and_so_does_the_group(scene: Scene, clean_up: Callable[[], Report]) -> None:
    """R16. DeleteScheduleGroup would take everything with it."""
    others = {
        "function": "arn:aws:lambda:us-east-1:123456789012:function:abalone",
        "queue": "arn:aws:sqs:us-east-1:123456789012:abalone",
        "stops": UNIVERSAL.replace("start", "stop"),
        "batch": "arn:aws:scheduler:::aws-sdk:batch:submitJob",
    }
    for name, target in others.items():
        document = {"Arn": target, "Input": '{"PipelineName": "Abalone"}'}
        scene.world.schedules.add(name, target, group="team", Target=document)
    scene.schedule("nightly", group="team")
    assert deleted(clean_up()) == {"nightly"}
    assert scene.names == set(others)
    assert "team" in scene.world.schedules.groups()


@pytest.mark.parametrize("call", ["delete_schedule_group", "delete_rule", "delete_pipeline", "disable_rule"])
def test_the_clean_up_cannot_delete_a_group_a_rule_or_a_pipeline(call: str) -> None:
    """R15, R16. None of its adapters has such a call, and its role has no such right."""
    for name in ("schedules", "rules", "pipelines"):
        tree = ast.parse((PACKAGE / f"adapters/{name}.py").read_text(encoding="utf-8"))
        assert call not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("way", ["group", "name", "description"])
def test_what_is_protected_stays(scene: Scene, clean_up: Callable[[], Report], way: str) -> None:
    """R17. Schedules have no tags of their own: by the group's tag, by name, by words in the description."""
    scene.schedule("nightly", group="team", Description="[pipeline-triggers:protect]" if way == "description" else "")
    if way == "group":
        scene.world.schedules.group_tags["team"] = {"pipeline-triggers:protect": "true"}
    if way == "name":
        scene.world.set_policy(protected=("team/night*",))
    assert kept(clean_up()) == {"nightly": f"protected-{way}"}
    assert scene.names == {"nightly"}


def test_protection_that_comes_between_two_sweeps_counts(scene: Scene) -> None:
    """R17. It is looked at again right before the delete."""
    scene.schedule("nightly", group="team")
    scene.world.sweep()
    scene.world.schedules.group_tags["team"] = {"pipeline-triggers:protect": "true"}
    scene.world.clock.advance(hours=6)
    assert kept(scene.world.sweep()) == {"nightly": "protected-group"}


def test_too_many_orphans_are_no_orphans_but_an_accident(scene: Scene) -> None:
    """R18. SageMaker forgets all pipelines for some hours, plainly and twice."""
    scene.world.set_policy(max_deletes=1000)
    for number in range(60):
        scene.sagemaker.create(f"p{number}")
        scene.schedule(f"s{number}", f"{HERE}p{number}")
    forgotten = copy.copy(scene.sagemaker.names)
    scene.sagemaker.names.clear()
    report = scene.sweeps()
    assert report.is_capped
    assert report.kept_because == {"delete-cap": 60}
    scene.sagemaker.names.update(forgotten)
    assert scene.sweeps().kept_because == {"pipeline-exists": 60}
    assert scene.world.schedules.called("delete") == []


def test_a_deletion_that_nobody_reports_is_made_good_within_two_sweeps(scene: Scene) -> None:
    """R19. CloudTrail's events are best effort; the bound is two intervals of the sweep and the grace."""
    scene.schedule("nightly")
    scene.sagemaker.create("Abalone")
    scene.world.sweep()
    scene.sagemaker.delete("Abalone")
    gone = scene.world.clock.now()
    while scene.names:
        scene.world.clock.advance(hours=6)
        scene.world.sweep()
    assert scene.world.clock.now() - gone <= 2 * timedelta(hours=6) + GRACE


def test_pipelines_are_asked_for_after_the_schedules_were_listed(scene: Scene) -> None:
    """R19. One that is made while a sweep lists schedules is seen before any of them goes."""
    scene.world.schedules.page_size = 1
    for name in "abc":
        scene.schedule(name)
    scene.world.sweep()
    scene.world.clock.advance(hours=6)
    scene.before(scene.world.schedules, "page", lambda: scene.sagemaker.create("Abalone"), call=3)
    report = scene.world.sweep()
    assert set(kept(report).values()) == {"pipeline-exists"}
    assert scene.names == {"a", "b", "c"}


def test_an_event_that_comes_twice_or_after_the_sweep_finds_nothing_to_do(scene: Scene) -> None:
    """R20. Out of order, again, and both at once."""
    scene.schedule("nightly")
    assert deleted(scene.event()) == {"nightly"}
    assert scene.event().to_document() == {"deleted": [], "kept": [], "failed": []}
    scene.schedule("weekly")
    scene.before(scene.world.schedules, "get", scene.event)
    assert deleted(scene.event()) == {"weekly"}


@pytest.mark.parametrize("service", ["codepipeline", "elastictranscoder", "datapipeline", "osis"])
def test_deletions_of_other_services_pipelines_are_not_ours(service: str) -> None:
    """R21. Their calls have the same name."""
    event = _event("Abalone", GONE)
    detail = {**event.detail, "eventSource": f"{service}.amazonaws.com"}
    for source in (f"aws.{service}", "aws.sagemaker"):
        told = pipeline_call(Event({**event.envelope, "source": source, "detail": detail}), HOME)
        assert isinstance(told, Kept)
        assert told.reason == "other-event"


def test_two_clean_ups_at_once_delete_each_schedule_and_surface_no_error(scene: Scene) -> None:
    """F37. Two sweeps of different messages, an event in the middle of a sweep, a sweep in the middle of an event."""
    runs: Iterator[Callable[[], Report]] = iter(
        [scene.event, lambda: scene.world.sweep(message_id="another"), scene.event]
    )
    for run in runs:
        for name in "abcd":
            scene.schedule(name)
        scene.world.sweep()
        scene.world.clock.advance(hours=6)
        scene.before(scene.world.schedules, "get", run, call=2)
        report = scene.world.sweep()
        assert report.failed == ()
        assert scene.names == set()


def test_a_trigger_of_two_pipelines_keeps_its_schedule_until_both_are_gone(
    scene: Scene, clean_up: Callable[[], Report]
) -> None:
    """R9. Through this application a schedule may start several."""
    scene.world.triggers.put(trigger_of("both", "Abalone", "abalone2"))
    scene.world.add_through_this_app("both", "both")
    scene.world.clock.advance(seconds=GRACE.total_seconds())
    scene.sagemaker.create("abalone2")
    clean_up()
    assert scene.names == {"both"}
    scene.sagemaker.delete("abalone2")
    scene.world.clock.advance(hours=6)
    assert deleted(clean_up()) == {"both"}


def _event(named: str, arn: str) -> Event:
    """CloudTrail's report; without an ARN the answer of the call is missing."""
    envelope: dict[str, Any] = copy.deepcopy(sample("cloudtrail-delete-pipeline"))
    answer = {"pipelineArn": arn} if arn else None
    envelope["detail"] |= {"requestParameters": {"pipelineName": named}, "responseElements": answer}
    return Event.from_envelope(envelope)
