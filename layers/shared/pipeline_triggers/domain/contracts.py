"""What a pipeline's declaration says about a target's parameters before there is any event: only what is certain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.definitions import judge
from pipeline_triggers.domain.templates import Literal, Template
from pipeline_triggers.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from pipeline_triggers.domain.constraints import ParameterType
    from pipeline_triggers.domain.definitions import Declared, Definition
    from pipeline_triggers.domain.parameters import Parameter
    from pipeline_triggers.domain.triggers import Target, Trigger

# Types that no text is of both.
_DISJOINT = (frozenset({"Boolean", "Integer"}), frozenset({"Boolean", "Float"}))
# All characters that a text of the type can have (see the shapes of ``constraints``).
_CHARACTERS: Mapping[ParameterType, frozenset[str]] = {
    "Integer": frozenset("+-0123456789"),
    "Float": frozenset("+-0123456789.eE"),
    "Boolean": frozenset("truefalsTRUEFALS"),
}


@dataclass(frozen=True, slots=True)
class Findings:
    """Problems: a start would be refused. Warnings: it would be for some events. Fields are relative to the trigger."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokenContract:
    """A target whose start its pipeline would refuse, whatever the event; ``problems`` as in ``Findings``."""

    pipeline: str
    trigger: str
    target: str
    problems: tuple[Problem, ...]

    def to_document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "pipeline": self.pipeline,
            "trigger": self.trigger,
            "target": self.target,
            "problems": [{"field": it.field, "reason": it.reason, "remedy": it.remedy} for it in self.problems],
        }


def parties(triggers: Iterable[Trigger]) -> Iterator[tuple[Trigger, int]]:
    """The targets, by their number in their trigger, that follow what their pipelines declare at the time.

    Those that name a version do not, for a version never changes, nor do those of disabled triggers, which start
    nothing.
    """
    for trigger in triggers:
        if trigger.state == "DISABLED":
            continue
        for number, target in enumerate(trigger.targets):
            if target.pipeline.version_id is None:
                yield trigger, number


def broken_contracts(its_parties: Iterable[tuple[Trigger, int]], definition: Definition) -> Iterator[BrokenContract]:
    """Those targets of one pipeline that it would refuse by what it declares."""
    for trigger, number in its_parties:
        target = trigger.targets[number]
        if problems := compare(target, definition, f"targets[{number}]").problems:
            yield BrokenContract(str(target.pipeline), trigger.name, target.id, problems)


def compare(target: Target, definition: Definition, field: str) -> Findings:
    """Compare the parameters of a target, which is the ``field`` of its trigger, with what its pipeline declares.

    What events may put in is judged only as far as the trigger limits it; the rest is checked before each start.
    """
    problems = [problem for parameter in target.parameters for problem in _problems(parameter, definition, field)]
    given = {parameter.name for parameter in target.parameters}
    required = [name for name, declared in definition.parameters.items() if declared.required]
    problems += [
        Problem(
            f"{field}.parameters.{name}",
            "is missing, and the pipeline declares no default for it",
            "Add it to the target's parameters, or give it a default in the pipeline",
        )
        for name in required
        if name not in given
    ]
    warnings = [
        Problem(
            f"{field}.parameters.{parameter.name}.on_missing",
            "is left out when the path finds nothing, but the pipeline declares no default for it",
            "Give it a default here or in the pipeline; else the event goes to quarantine",
        )
        for parameter in target.parameters
        if parameter.on_missing == "omit" and parameter.name in required
    ]
    return Findings(tuple(problems), tuple(warnings))


def _problems(parameter: Parameter, definition: Definition, target_field: str) -> Iterator[Problem]:
    field = f"{target_field}.parameters.{parameter.name}"
    declared = definition.parameters.get(parameter.name)
    if declared is None or isinstance(parameter.value, Literal):
        yield from _refused(parameter.name, parameter.value.text, definition, field)
        return
    if parameter.default is not None:
        yield from _refused(parameter.name, parameter.default, definition, f"{field}.default")
    if isinstance(parameter.value, Template) and not _can_be_declared(parameter.value, declared):
        wanted = f"one of {', '.join(declared.enum)}" if declared.enum else declared.type
        yield Problem(
            field,
            f"can never be {wanted}, which the pipeline declares: the text around the paths does not fit",
            "Change the template, or the declaration",
        )
    yield from _constraints(parameter, declared, definition, field)


def _refused(name: str, text: str, definition: Definition, field: str) -> Iterator[Problem]:
    refusal = judge(name, text, definition)
    if refusal is not None:
        yield Problem(field, refusal.said, refusal.remedy)


def _constraints(parameter: Parameter, declared: Declared, definition: Definition, field: str) -> Iterator[Problem]:
    """What the trigger lets through although the pipeline refuses it, and when it lets nothing through."""
    limits = parameter.constraints
    if {limits.type, declared.type} in _DISJOINT:
        said = f"lets only {limits.type} through, but the pipeline declares {declared.type}"
        yield Problem(f"{field}.type", said, f"Write {declared.type}, or change the declaration")
    elif limits.enum:
        for number, text in enumerate(limits.enum):
            yield from _refused(parameter.name, text, definition, f"{field}.enum[{number}]")
    elif declared.enum and all(map(limits.violation, declared.enum)):
        said = f"lets none of the declared values through: {declared.enum[0]!r} {limits.violation(declared.enum[0])}"
        yield Problem(field, said, f"Widen the constraint: the pipeline declares {', '.join(declared.enum)}")


def _can_be_declared(template: Template, declared: Declared) -> bool:
    """Whether the paths of a template can find anything that makes a text that the pipeline accepts."""
    characters = _CHARACTERS.get(declared.type)
    if characters is not None and any(set(part) - characters for part in template.parts if isinstance(part, str)):
        return False
    return not declared.enum or any(_can_become(template, text) for text in declared.enum)


def _can_become(template: Template, text: str) -> bool:
    """Whether the literal parts stand in a text in their order, the first and the last at its ends."""
    position = 0
    for number, part in enumerate(template.parts):
        if not isinstance(part, str):
            continue
        found = text.find(part, position)
        if number == len(template.parts) - 1:
            found = len(text) - len(part) if text.endswith(part) else -1
        if found < position or (number == 0 and found > 0):
            return False
        position = found + len(part)
    return True


@dataclass(frozen=True, slots=True)
class BrokenPipeline:
    """A pipeline that would refuse what triggers send: what it declared when it was looked at last, and since when.

    ``arn`` is casefolded.
    """

    arn: str
    definition: Definition
    since: datetime
