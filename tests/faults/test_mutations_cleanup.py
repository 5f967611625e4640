"""Take one part of the clean-up's protection away, and schedules go that should stay, or orphans stay that should go.

Each part has a scene in which it matters. With it, nothing goes wrong there; without it, this does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.cleanup import deleting, estate, looking
from pipeline_triggers.domain import cleanup_policy, orphans
from pipeline_triggers.errors import AwsError
from tests.fakes.estate import HERE, World
from tests.fakes.pipelines import HOME
from tests.fakes.sagemaker import FakeSageMaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline_triggers.domain.orphans import Orphan, Report


class Scene:
    """A world on a SageMaker that heeds the case of ARNs and keeps them as they were written: the hardest one."""

    def __init__(self) -> None:
        self.world = World()
        self.sagemaker = FakeSageMaker(heeds_case=True, lowers_arns=False)
        self.world.pipelines = SageMakerPipelines(cast("Any", self.sagemaker), HOME, self.world.clock)

    def sweep(self, *, minutes: float = 0) -> Report:
        self.world.clock.advance(minutes=minutes)
        return self.world.sweep()

    def wronged(self) -> set[str]:
        """The schedules that are gone though their pipeline exists."""
        kept = self.world.schedules.names
        return {name for name in self.of_existing if name not in kept}

    of_existing: tuple[str, ...] = ("nightly",)


def spelled_otherwise(scene: Scene) -> set[str]:
    """A pipeline exists whose schedule spells it otherwise; its deletion was reported before it was made again."""
    scene.sagemaker.create("Abalone")
    scene.world.schedules.add("nightly", f"{HERE}ABALONE")
    scene.world.on_deleted(f"{HERE}abalone")
    return scene.wronged()


def not_listed_yet(scene: Scene) -> set[str]:
    """A pipeline was made again a moment ago, and the list does not have it yet."""
    scene.sagemaker.create("abalone")
    scene.sagemaker.unlisted.add("abalone")
    scene.world.schedules.add("nightly", f"{HERE}abalone")
    scene.world.on_deleted(f"{HERE}abalone")
    return scene.wronged()


def errors_from_sagemaker(scene: Scene) -> set[str]:
    """A pipeline exists, and SageMaker answers the first questions with an error."""
    scene.sagemaker.create("abalone")
    scene.world.schedules.add("nightly", f"{HERE}abalone")
    for code in ("ValidationException", "AccessDeniedException", "ThrottlingException", "InternalFailure"):
        scene.sagemaker.errors.extend([code] * 2)
        scene.world.on_deleted(f"{HERE}abalone")
    return scene.wronged()


def swept_in_another_case(scene: Scene) -> set[str]:
    """A pipeline exists whose schedule spells it otherwise; sweeps come by."""
    scene.sagemaker.create("Abalone")
    scene.world.schedules.add("nightly", f"{HERE}ABALONE")
    for _ in range(3):
        scene.sweep(minutes=360)
    return scene.wronged()


def orphans_in_another_case(scene: Scene) -> set[str]:
    """A pipeline is gone; its schedules spell it in three ways. Those that stay after the event are wrong."""
    for number, spelling in enumerate(("abalone", "Abalone", "ABALONE")):
        scene.world.schedules.add(f"s{number}", f"{HERE}{spelling}")
    scene.world.on_deleted(f"{HERE}Abalone")
    return scene.world.schedules.names


def schedule_before_pipeline(scene: Scene) -> set[str]:
    """Somebody makes a schedule, and some minutes later its pipeline; sweeps come by every three minutes."""
    scene.world.schedules.add("nightly", f"{HERE}abalone")
    for _ in range(4):
        scene.sweep(minutes=3)
    scene.sagemaker.create("abalone")
    return scene.wronged()


def replaced_pipeline(scene: Scene) -> set[str]:
    """A pipeline is replaced: for two minutes there is none, and just then a sweep comes by."""
    scene.sagemaker.create("abalone")
    scene.world.schedules.add("nightly", f"{HERE}abalone")
    scene.sweep(minutes=360)
    scene.sagemaker.delete("abalone")
    scene.sweep(minutes=1)
    scene.sagemaker.create("abalone")
    return scene.wronged()


def sagemaker_forgets_everything(scene: Scene) -> set[str]:
    """For some hours SageMaker says plainly that none of 60 pipelines exists."""
    scene.of_existing = tuple(f"s{number}" for number in range(60))
    for name in scene.of_existing:
        scene.sagemaker.create(name)
        scene.world.schedules.add(name, f"{HERE}{name}")
    remembered = dict(scene.sagemaker.names)
    scene.sagemaker.names.clear()
    for _ in range(3):
        scene.sweep(minutes=360)
    scene.sagemaker.names.update(remembered)
    return scene.wronged()


def made_again_after_the_judgement(scene: Scene) -> set[str]:
    """A pipeline is made again when it was judged, before its schedules go."""
    scene.world.schedules.add("nightly", f"{HERE}abalone")
    tags = scene.world.schedules.tags

    def interfering(group_arn: str) -> Any:
        scene.sagemaker.create("abalone")
        return tags(group_arn)

    scene.world.schedules.tags = interfering  # type: ignore[method-assign]
    scene.world.on_deleted(f"{HERE}abalone")
    return scene.wronged()


def moved_to_another_pipeline(scene: Scene) -> set[str]:
    """A schedule is made to start another pipeline while it is about to go."""
    scene.sagemaker.create("other")
    scene.world.schedules.add("nightly", f"{HERE}abalone")
    get = scene.world.schedules.get

    def interfering(group: str, name: str) -> Any:
        scene.world.schedules.add("nightly", f"{HERE}other")
        return get(group, name)

    scene.world.schedules.get = interfering  # type: ignore[method-assign]
    scene.world.on_deleted(f"{HERE}abalone")
    return scene.wronged()


def _describe_alone(patch: pytest.MonkeyPatch) -> None:
    def absent(self: SageMakerPipelines, arn: str) -> bool:
        return not self._is_described(arn)

    patch.setattr(SageMakerPipelines, "absent", absent)


def _list_alone(patch: pytest.MonkeyPatch) -> None:
    def absent(self: SageMakerPipelines, arn: str) -> bool:
        return arn.casefold() not in map(str.casefold, self.listed())

    patch.setattr(SageMakerPipelines, "absent", absent)


def _errors_mean_absent(patch: pytest.MonkeyPatch) -> None:
    absent = SageMakerPipelines.absent

    def careless(self: SageMakerPipelines, arn: str) -> bool:
        try:
            return absent(self, arn)
        except AwsError:
            return True

    patch.setattr(SageMakerPipelines, "absent", careless)


def _no_casefolding_of_the_list(patch: pytest.MonkeyPatch) -> None:
    def absent(self: SageMakerPipelines, arn: str) -> bool:
        return not self._is_described(arn) and arn not in self.listed()

    patch.setattr(SageMakerPipelines, "absent", absent)


def _no_casefolding_of_schedules(patch: pytest.MonkeyPatch) -> None:
    def exact(arns: Any) -> tuple[str, ...]:
        return tuple(sorted(set(arns)))

    for module in (orphans, deleting):
        patch.setattr(module, "folded", exact)
    patch.setattr("pipeline_triggers.cleanup.searching.Searching._judged", _judged_exactly)


def _judged_exactly(self: Any, schedule: Any) -> Orphan | None:
    is_its = schedule.target_arn == self.pipeline
    return orphans.Orphan.of_schedule(schedule, (schedule.target_arn,), self.run.began) if is_its else None


def _no_grace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(orphans, "GRACE", timedelta(0))


def _seen_once_is_enough(patch: pytest.MonkeyPatch) -> None:
    for module in ("looking", "cleaner"):
        patch.setattr(f"pipeline_triggers.cleanup.{module}.is_ripe", lambda *_: True)


def _no_cap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cleanup_policy.Policy, "allowed", lambda *_: 1_000_000)


def _no_second_question(patch: pytest.MonkeyPatch) -> None:
    def delete_all(self: deleting.Deleting, doomed: Any) -> Any:
        return orphans.Report.joined(self._delete_schedule(orphan) for orphan in doomed)

    patch.setattr(deleting.Deleting, "delete", delete_all)


def _no_comparison(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(estate.Estate, "started_by", lambda *_: (f"{HERE}abalone",))


# What is taken away, the scene in which it matters, and what goes wrong there without it.
MUTATIONS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Callable[[Scene], set[str]], set[str]]] = {
    "absent by DescribePipeline alone": (_describe_alone, spelled_otherwise, {"nightly"}),
    "absent by the list alone": (_list_alone, not_listed_yet, {"nightly"}),
    "errors mean absent": (_errors_mean_absent, errors_from_sagemaker, {"nightly"}),
    "ARNs of the list compared by case": (_no_casefolding_of_the_list, spelled_otherwise, {"nightly"}),
    "ARNs of the list compared by case, in sweeps": (_no_casefolding_of_the_list, swept_in_another_case, set()),
    "ARNs of schedules compared by case": (_no_casefolding_of_schedules, orphans_in_another_case, {"s1", "s2"}),
    "no grace": (_no_grace, schedule_before_pipeline, {"nightly"}),
    "seen once is enough": (_seen_once_is_enough, replaced_pipeline, {"nightly"}),
    "no cap": (_no_cap, sagemaker_forgets_everything, {f"s{number}" for number in range(60)}),
    "no second question": (_no_second_question, made_again_after_the_judgement, {"nightly"}),
    "no comparison with what is there": (_no_comparison, moved_to_another_pipeline, {"nightly"}),
}


SCENES = {scene.__name__: scene for _, scene, _ in MUTATIONS.values()}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_with_every_protection_in_place_nothing_goes_wrong(scene: Callable[[Scene], set[str]]) -> None:
    assert scene(Scene()) == set()


@pytest.mark.parametrize("taken", MUTATIONS)
def test_without_one_of_them_it_does(taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take, scene, wrong = MUTATIONS[taken]
    take(monkeypatch)
    assert scene(Scene()) == wrong


def test_in_sweeps_the_case_of_the_list_is_protected_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the look, which compares casefolded too: only without both does a schedule go."""
    _no_casefolding_of_the_list(monkeypatch)

    def exists(self: looking.Looking, pipelines: Any) -> bool:
        return any(pipeline in self.estate.pipelines.listed() for pipeline in pipelines)

    monkeypatch.setattr(looking.Looking, "_any_exists", exists)
    assert swept_in_another_case(Scene()) == {"nightly"}
