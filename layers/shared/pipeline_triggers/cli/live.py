"""The check of triggers against SageMaker's pipelines (``--live``), told with the places in the trigger files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline_triggers.checking import Checker
from pipeline_triggers.cli.settings import Answer, ExitCode
from pipeline_triggers.domain.contracts import Findings
from pipeline_triggers.errors import AwsError, ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline_triggers.cli.settings import Settings
    from pipeline_triggers.documents import TriggerFile
    from pipeline_triggers.domain.definitions import Definition
    from pipeline_triggers.domain.triggers import Target, Trigger


@dataclass(frozen=True, slots=True)
class Compared:
    """A target beside what its pipeline declares (None: SageMaker did not say it), and what is wrong with it."""

    target: Target
    definition: Definition | None = None
    problems: tuple[Problem, ...] = ()


def check_files(loaded: Sequence[tuple[str, TriggerFile]], settings: Settings) -> Findings:
    """Check the triggers of files; what is found has file, line and field. Raises AwsError when it cannot be asked."""
    files = {trigger.name: (file, content) for file, content in loaded for trigger in content.triggers}

    def placed(trigger: Trigger, problem: Problem) -> Problem:
        file, content = files[trigger.name]
        place = content.place_of(trigger.name, problem.field)
        return replace(problem, field=place.field, file=file, line=place.line)

    return check_triggers([trigger for _, content in loaded for trigger in content.triggers], settings, placed)


def check_triggers(
    triggers: Iterable[Trigger],
    settings: Settings,
    placed: Callable[[Trigger, Problem], Problem],
) -> Findings:
    """Check triggers; ``placed`` says where a problem with a field of a trigger is. Raises AwsError as above."""
    checker = Checker(settings.connection.pipelines())
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for trigger in triggers:
        found = checker.check(trigger)
        problems += (placed(trigger, problem) for problem in found.problems)
        warnings += (placed(trigger, warning) for warning in found.warnings)
    return Findings(tuple(problems), (*warnings, *checker.left_out))


def refusal(found: Findings) -> Answer:
    """The answer of a command that does nothing because the check found problems."""
    return Answer(exit_code=ExitCode.INVALID, problems=found.problems, warnings=found.warnings)


def compared_targets(trigger: Trigger, settings: Settings) -> tuple[list[Compared], list[Problem]]:
    """The targets of a trigger beside their pipelines, and warnings. What cannot be asked stops nothing: it is told."""
    try:
        checker = Checker(settings.connection.pipelines())
        compared = []
        warnings: list[Problem] = []
        for number, target in enumerate(trigger.targets):
            found = checker.check_target(target, f"targets[{number}]")
            compared.append(Compared(target, checker.declared(target), found.problems))
            warnings += found.warnings
        return compared, [*warnings, *checker.left_out]
    except (AwsError, ConfigurationError) as error:
        told = Problem("", f"what the pipelines declare could not be found out: {error}")
        return [Compared(target) for target in trigger.targets], [told]
