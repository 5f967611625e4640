"""SageMaker's pipelines as the service treats them, in front of moto, which treats them differently.

* ``StartPipelineExecution`` with a ClientRequestToken that was used before answers the first execution.
* A pipeline may be named by its ARN where the service model allows that; ARNs are compared without case.
* Pipeline and execution ARNs are answered in lower case.
* A missing pipeline is ``ResourceNotFound``.
* Parameters are checked against the pipeline's definition; the messages are those of the SageMaker SDK's local mode,
  which mirrors the service (sagemaker/local/entities.py).

Pipeline versions are not known here: a version id or alias is accepted and ignored, as moto does.
"""

from __future__ import annotations

import json
import re
from threading import Lock
from typing import TYPE_CHECKING, Any

from pipeline_triggers.local.wire import ACCOUNT, RefusedError, error_answer, json_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline_triggers.local.wire import Answer, Call

    Forward = Callable[[Call], Answer]

_PIPELINE_ARN = re.compile(
    r"arn:[^:]+:sagemaker:(?P<region>[^:]+):(?P<account>[^:]+):pipeline/(?P<name>[^/]+)(?P<execution>/execution/[^/]+)?",
    re.IGNORECASE,
)
_ARN_MEMBERS = ("PipelineExecutionArn", "ResourceArn")
_MISSING_IN_MOTO = "Could not find pipeline"


class Pipelines:
    """An interceptor that corrects moto's SageMaker pipelines; it remembers the tokens of successful starts."""

    def __init__(self) -> None:
        self._execution_of: dict[tuple[str, str], Answer] = {}
        self._lock = Lock()

    def __call__(self, call: Call, forward: Forward) -> Answer:
        """Answer a SageMaker call as the service would; other services' calls pass unchanged."""
        if call.service != "sagemaker":
            return forward(call)
        try:
            answer = self._answer(_in_words_of_moto(call, forward), forward)
        except RefusedError as refused:
            return refused.answer()
        return answer.with_output(_lower_case_arns(answer.output())) if answer.succeeded else _as_not_found(answer)

    def forget_tokens(self) -> None:
        """Act as SageMaker some unpublished time after the starts: the same token starts another execution."""
        with self._lock:
            self._execution_of.clear()

    def _answer(self, call: Call, forward: Forward) -> Answer:
        match call.operation:
            case "StartPipelineExecution":
                return self._start(call, forward)
            case "CreatePipeline" | "UpdatePipeline":
                _require_json_object(call.input.get("PipelineDefinition"))
        return forward(call)

    def _start(self, call: Call, forward: Forward) -> Answer:
        key = (str(call.input["PipelineName"]).casefold(), str(call.input.get("ClientRequestToken")))
        with self._lock:
            if key in self._execution_of:
                return self._execution_of[key]
            described = forward(
                json_call("sagemaker", "DescribePipeline", {"PipelineName": call.input["PipelineName"]}, call.region)
            )
            if not described.succeeded:
                return described
            given = {item["Name"]: item["Value"] for item in call.input.get("PipelineParameters") or ()}
            for problem in parameter_problems(json.loads(described.output()["PipelineDefinition"]), given):
                raise RefusedError("ValidationException", problem)
            answer = forward(call)
            if answer.succeeded:
                self._execution_of[key] = answer
            return answer


def parameter_problems(definition: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[str]:
    """What SageMaker refuses in the parameters of a start, against the pipeline's definition; the first one counts."""
    declared = {parameter["Name"]: parameter for parameter in definition.get("Parameters") or ()}
    for name, value in given.items():
        if name not in declared:
            yield f"Unknown parameter '{name}'"
        elif value == "":
            yield f'Parameter {name} value "" is too short (length: 0, required minimum: 1).'
        elif not _is_of_type(value, kind := declared[name].get("Type", "String")):
            yield f"Unexpected type for parameter '{name}'. Expected {kind} but found {value!r}."
        elif (allowed := declared[name].get("EnumValues")) and value not in map(str, allowed):
            yield f"Parameter '{name}' must be one of {', '.join(map(str, allowed))}."
    for name, parameter in declared.items():
        if name not in given and parameter.get("DefaultValue") is None:
            yield f"Parameter '{name}' is undefined."


def _is_of_type(text: str, kind: str) -> bool:
    match kind:
        case "Integer":
            return re.fullmatch(r"[+-]?[0-9]+", text) is not None
        case "Float":
            return re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) is not None
        case "Boolean":
            return text.lower() in ("true", "false")
    return True


def _require_json_object(text: object) -> None:
    if text is None:
        return
    try:
        definition = json.loads(str(text))
    except ValueError as error:
        raise RefusedError("ValidationException", f"Pipeline definition is not valid JSON: {error}") from error
    if not isinstance(definition, dict):
        raise RefusedError("ValidationException", "Pipeline definition is not a JSON object")


def _in_words_of_moto(call: Call, forward: Forward) -> Call:
    """The call with every pipeline ARN replaced by what moto knows: the pipeline's name, or the ARN in moto's case."""
    changed = {}
    if found := _PIPELINE_ARN.fullmatch(str(call.input.get("PipelineName", ""))):
        changed["PipelineName"] = _name_in_moto(found, call.region, forward)
    for member in _ARN_MEMBERS:
        if found := _PIPELINE_ARN.fullmatch(str(call.input.get(member, ""))):
            name = _name_in_moto(found, call.region, forward)
            changed[member] = f"arn:aws:sagemaker:{call.region}:{ACCOUNT}:pipeline/{name}{found['execution'] or ''}"
    return call.with_input({**call.input, **changed}) if changed else call


def _name_in_moto(found: re.Match[str], region: str, forward: Forward) -> str:
    if (found["region"], found["account"]) == (region, ACCOUNT):
        listed = forward(json_call("sagemaker", "ListPipelines", {}, region)).output()
        for pipeline in listed["PipelineSummaries"]:
            if pipeline["PipelineName"].casefold() == found["name"].casefold():
                return str(pipeline["PipelineName"])
    raise RefusedError("ResourceNotFound", f"Pipeline '{found[0]}' does not exist.")


def _as_not_found(answer: Answer) -> Answer:
    code, message = answer.error()
    if code != "ValidationException" or not message.startswith(_MISSING_IN_MOTO):
        return answer
    return error_answer("ResourceNotFound", message)


def _lower_case_arns(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lower_case_arns(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lower_case_arns(item) for item in value]
    return value.lower() if isinstance(value, str) and _PIPELINE_ARN.fullmatch(value) else value
