"""Conversions: the text that is sent for a value of an event, since a pipeline's parameters travel as text.

=============================================  ======================================================================
in the event                                   sent
=============================================  ======================================================================
text                                           as it is
``true``, ``false``                            the same; ``True``, ``False`` where the pipeline declares Boolean
an integer, or a float with an integral value  its digits, without ``.0`` and without an exponent
another number                                 the shortest text that reads back as the same number
an object or an array                          compact JSON, keys in the event's order
several matches of one path                    a compact JSON array of them
one match of a path with wildcards or filters  that match, as above
``null``, or nothing                           *missing*: the default, or left out, or ``missing-parameter``
text without any character                     refused: ``empty-value`` (SageMaker refuses it)
more than 1,024 characters                     refused: ``value-too-long`` (never cut)
more than 200 parameters of one target         refused when the trigger is written
NaN, infinity, half of a surrogate pair        refused: ``malformed-event`` (neither JSON nor UTF-8 can carry it)
an object nested too deeply to be written      refused: ``too-deep``
a path that would look at too many places      refused: ``too-large``
=============================================  ======================================================================

``to_text`` does the rows about single values; ``parameters.resolve`` the others.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal

from pipeline_triggers.errors import MalformedEventError

# Limits of StartPipelineExecution, from the service model (botocore, sagemaker 2017-07-24); it says that a value may be
# empty, but the service refuses that (aws/sagemaker-python-sdk#4016).
MAX_PARAMETERS = 200
MAX_VALUE = 1024
MAX_NAME = 256

# Decimal digits are log10(2) of the bits: an integer of more bits has more than MAX_VALUE digits for certain.
_MAX_BITS = MAX_VALUE * 4
_PADDED_EXPONENT = re.compile(r"e([+-])0+")


def to_text(value: object, *, boolean: bool = False) -> str:
    """Write a JSON value as the text that is sent, by the table at the top of this file.

    ``boolean`` says that the pipeline declares Boolean. Raises MalformedEventError (malformed-event, too-deep) for what
    JSON or UTF-8 cannot carry, and for ``None``, which is no value.
    """
    if isinstance(value, str):
        return value if value.isascii() else _encodable(value)
    match value:
        case bool():
            return str(value) if boolean else str(value).lower()
        case int():
            return str(value) if value.bit_length() <= _MAX_BITS else "9" * (MAX_VALUE + 1)
        case float():
            return _number(value)
        case dict() | list():
            return _compact(value)
    raise MalformedEventError(f"a value of type {type(value).__name__} is not JSON")


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise MalformedEventError(f"{value} is not a number of JSON")
    if not value.is_integer():
        return _PADDED_EXPONENT.sub(r"e\1", repr(value))
    digits = format(Decimal(repr(value)), "f").removesuffix(".0")
    return "0" if digits == "-0" else digits


def _compact(value: object) -> str:
    try:
        return _encodable(json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False))
    except RecursionError as error:
        raise MalformedEventError("the value is nested too deeply to be written as JSON", "too-deep") from error
    except (TypeError, ValueError) as error:
        raise MalformedEventError(f"the value cannot be written as JSON ({error})") from error


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise MalformedEventError(
            f"character {error.start + 1} is half of a surrogate pair and cannot be sent"
        ) from error
    return text
