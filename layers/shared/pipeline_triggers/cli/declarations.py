"""What ``simulate`` knows of the pipelines' definitions: from files, from the account, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipeline_triggers.cli.inputs import parse_json, read_text
from pipeline_triggers.domain.definitions import Definition
from pipeline_triggers.domain.forms import suggestion
from pipeline_triggers.domain.triggers import Target
from pipeline_triggers.errors import InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline_triggers.checking import Checker
    from pipeline_triggers.domain.executions import Home, PipelineRef
    from pipeline_triggers.domain.triggers import Snapshot

OPTION = "--definition"
_ACCEPTED = 'It holds what DescribePipeline answers, or the definition itself: {"Parameters": [...]}'
# What the definition of a pipeline has, and DescribePipeline's answer has not.
_OF_DEFINITIONS = frozenset({"Parameters", "Steps", "Version"})
# How many pipelines are named in a line.
_MAX_NAMED = 5


@dataclass
class Declarations:
    """Says what a pipeline declares: ``given`` goes before what the ``checker`` asks SageMaker, if there is one.

    ``given`` has the pipelines' ARNs in small letters. Each pipeline, or version of one, is asked for once.
    """

    home: Home
    given: Mapping[str, Definition]
    checker: Checker | None
    roles: Mapping[PipelineRef, str]
    _asked: dict[tuple[str, int | None], Definition | None] = field(default_factory=dict)
    _unknown: dict[str, None] = field(default_factory=dict)
    _warnings: list[Problem] = field(default_factory=list)

    def of(self, ref: PipelineRef) -> Definition | None:
        """What a pipeline declares, or None when nobody says it.

        Raises AwsError when SageMaker cannot be asked now (throttled, unavailable); that a pipeline is not there or may
        not be described is a warning.
        """
        arn, version = ref.key_in(self.home)
        if arn in self.given:
            return self.given[arn]
        if self.checker is None:
            self._unknown[ref.name] = None
            return None
        if (arn, version) not in self._asked:
            self._asked[arn, version] = self._ask(ref, self.checker)
        return self._asked[arn, version]

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Why pipelines could not be asked for what they declare: each is told once."""
        return (*self._warnings, *(self.checker.left_out if self.checker else ()))

    @property
    def not_looked_at(self) -> str:
        """One line about the pipelines that were asked about in vain, because no option says where they are."""
        if not self._unknown:
            return ""
        if not self.given:
            return f"The pipelines' definitions were not looked at: --live or {OPTION} does it."
        named = list(self._unknown)
        more = f" and {len(named) - _MAX_NAMED:,} more" if len(named) > _MAX_NAMED else ""
        return f"Definitions were not looked at for: {', '.join(named[:_MAX_NAMED])}{more}."

    def _ask(self, ref: PipelineRef, checker: Checker) -> Definition | None:
        # By its ARN: what is decided about is the pipeline at home, wherever the credentials are from.
        pipeline = replace(ref, arn=ref.arn_in(self.home))
        target = Target("simulated", pipeline, role_arn=self.roles.get(ref))
        definition = checker.declared(target)
        if definition is None:
            found = checker.check_target(target, "--live")
            self._warnings += (_unchecked(problem) for problem in (*found.problems, *found.warnings))
        return definition


def _unchecked(problem: Problem) -> Problem:
    return replace(problem, field="--live", reason=f"{problem.reason}; its parameters are not checked")


def definitions_in_files(options: Sequence[str], snapshot: Snapshot, home: Home) -> dict[str, Definition]:
    """The definitions of ``PIPELINE=FILE`` options, by the ARN in small letters of the pipelines they are for.

    PIPELINE is the name or the ARN of a pipeline that a trigger starts; all its versions are meant. Raises
    InvalidInputError with the problems of all options.
    """
    named: dict[str, set[str]] = {}
    for trigger in snapshot.triggers:
        for target in trigger.targets:
            arn = target.pipeline.arn_in(home)
            named.setdefault(arn.casefold(), set()).add(arn)
            named.setdefault(target.pipeline.name.casefold(), set()).add(arn)
    definitions: dict[str, Definition] = {}
    problems: list[Problem] = []
    for option in options:
        try:
            pipeline, file = _split(option)
            arns = {arn.casefold() for arn in named.get(pipeline.casefold(), ())}
            if not arns:
                near = suggestion(pipeline, sorted({arn.rpartition("/")[2] for some in named.values() for arn in some}))
                raise _problem(f"no trigger starts a pipeline {pipeline!r}", near)
            if arns & definitions.keys():
                raise _problem(f"the definition of {pipeline} is given twice", "Remove one of the two")
            definitions |= dict.fromkeys(arns, read_definition(file))
        except InvalidInputError as error:
            problems += error.problems
    if problems:
        raise InvalidInputError(problems)
    return definitions


def read_definition(file: str) -> Definition:
    """The definition in a file: what DescribePipeline answers, or what it has as ``PipelineDefinition``."""
    document = parse_json(read_text(file), file=file)
    try:
        return Definition.parse(_definition_in(document))
    except InvalidInputError as error:
        raise InvalidInputError(replace(p, file=file, remedy=_ACCEPTED) for p in error.problems) from error


def _definition_in(document: Any) -> str:
    if isinstance(document, dict) and isinstance(document.get("PipelineDefinition"), str):
        text: str = document["PipelineDefinition"]
        return text
    if isinstance(document, dict) and _OF_DEFINITIONS & document.keys():
        return json.dumps(document)
    raise InvalidInputError([Problem("", "is no definition of a pipeline")])


def _split(option: str) -> tuple[str, str]:
    pipeline, _, file = option.partition("=")
    if not pipeline or not file:
        raise _problem(f"{option!r} does not say a pipeline and a file", "Write it as churn-train=definition.json")
    return pipeline, file


def _problem(reason: str, remedy: str) -> InvalidInputError:
    return InvalidInputError([Problem(OPTION, reason, remedy)])
