"""A rehearsal says what a sweep would do, and leaves everything as it is."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pipeline_triggers.cleanup import Cleaner, cleaner
from tests.fakes.estate import HERE, World, deleted, kept, trigger_of

GONE = f"{HERE}abalonepipeline"


def traces(world: World) -> Any:
    """Everything that a sweep might change."""
    return copy.deepcopy(
        (
            world.schedules.names,
            world.rules.ids,
            world.store.seen,
            world.store.definitions,
            world.store.noted,
            world.store.last,
            world.triggers.orphaned,
        ),
    )


def rehearse(world: World, rehearsal: Cleaner) -> dict[str, str]:
    report = rehearsal.sweep(world.clock.now() + timedelta(hours=1), "rehearsal")
    assert report.failed == ()
    return kept(report)


def world_of_everything() -> World:
    world = World()
    world.set_policy(protected=("default/protected",), rule_targets="remove")
    world.pipelines.add("alive")
    world.triggers.put(trigger_of("gone", GONE), trigger_of("alive", "alive"))
    world.triggers.orphaned[f"{HERE}alive"] = world.clock.now()
    for name in ("ripe", "protected"):
        world.schedules.add(name, GONE)
    world.schedules.add("of-alive", f"{HERE}alive")
    world.rules.add("rule", GONE)
    world.clock.advance(hours=6)
    world.sweep()
    world.schedules.add("young", GONE)
    world.clock.advance(minutes=16)
    world.schedules.add("younger", GONE)
    return world


def test_it_says_what_would_go_and_why_the_rest_stays_and_changes_nothing() -> None:
    world = world_of_everything()
    before = traces(world)
    assert rehearse(world, world.cleaner.rehearsal()) == {
        "of-alive": "pipeline-exists",
        "protected": "protected-name",
        "young": "seen-once",
        "younger": "too-young",
        "ripe": "report-mode",
        "rule#1": "report-mode",
    }
    assert traces(world) == before
    assert deleted(world.sweep()) == {"ripe", "rule#1"}, "what it said"


def test_it_can_be_repeated_and_says_the_same() -> None:
    world = world_of_everything()
    rehearsal = world.cleaner.rehearsal()
    assert rehearse(world, rehearsal) == rehearse(world, rehearsal)


def test_it_does_not_wait_for_a_sweep_that_is_under_way_nor_disturb_it() -> None:
    world = world_of_everything()
    assert world.store.last is not None
    now = world.clock.now()
    world.store.last = replace(
        world.store.last, phase="look", run="next", previous=(world.store.last.run,), saved_at=now
    )
    before = traces(world)
    assert rehearse(world, world.cleaner.rehearsal())["ripe"] == "report-mode"
    assert traces(world) == before


def test_a_long_one_goes_on_where_it_stopped() -> None:
    world = World()
    world.schedules.page_size = 1
    for number in range(10):
        world.schedules.add(f"s{number}", GONE)
    page = world.schedules.page

    def slow(group: str, token: str | None = None) -> Any:
        world.clock.advance(seconds=cleaner.SLICE.total_seconds() / 4)
        return page(group, token)

    world.schedules.page = slow  # type: ignore[method-assign]
    rehearsal = world.cleaner.rehearsal()
    reports = [rehearsal.sweep(world.clock.now() + timedelta(hours=1), "r")]
    while reports[-1].unfinished:
        reports.append(rehearsal.sweep(world.clock.now() + timedelta(hours=1), "r"))
    assert len(reports) == 3
    assert sum(report.looked_at for report in reports) == 10
    assert world.store.last is None


def test_what_a_terminal_asks_of_the_store_is_as_it_is() -> None:
    world = world_of_everything()
    world.sweep()
    rehearsal = world.cleaner.rehearsal()
    assert list(rehearsal.estate.store.kept(GONE)) == list(world.store.kept(GONE))
    assert list(rehearsal.estate.store.indexed(GONE)) == []
    assert rehearsal.estate.marks.marked() == world.triggers.marked()
