"""The functions of templates: what ``<$.detail.object.key | basename>`` does with the text that its path found.

==========  ========================================================  =================================
function    of ``in/2026/churn%20all.tar.gz``                         rule
==========  ========================================================  =================================
basename    ``churn%20all.tar.gz``                                    what follows the last ``/``
dirname     ``in/2026``                                               what precedes the last ``/``, or nothing
stem        ``churn%20all.tar``                                       the basename without its suffix
suffix      ``.gz``                                                   the basename from its last ``.`` on, or nothing
lower       the same in small letters
upper       the same in capitals
unquote     ``in/2026/churn all.tar.gz``                              ``%20`` and its like decoded once, as UTF-8
==========  ========================================================  =================================

A name that begins with its only dot, ``.env``, has no suffix. Keys of S3 events are decoded already: ``unquote`` is for
what encodes them once more.

==========  ===========================================================================================================
function    of a time, in UTC: ``2026-01-31T23:30:00-05:00`` or ``1769920200000`` (see ``times.milliseconds``)
==========  ===========================================================================================================
date        ``2026-02-01``
year        ``2026``
month       ``02``
day         ``01``
hour        ``04``
minute      ``30``
==========  ===========================================================================================================
"""

from __future__ import annotations

import posixpath
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pipeline_triggers.domain.times import milliseconds
from pipeline_triggers.errors import MalformedEventError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _basename(text: str) -> str:
    return text.rpartition("/")[2]


def _dirname(text: str) -> str:
    return text.rpartition("/")[0]


def _stem(text: str) -> str:
    return posixpath.splitext(_basename(text))[0]


def _suffix(text: str) -> str:
    return posixpath.splitext(text)[1]


def _unquote(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise MalformedEventError(f"the text is not percent-encoded UTF-8 ({error.reason})", "constraint") from error


def _part_of_time(begin: int, end: int) -> Callable[[str], str]:
    """A part of the ISO form of a time, ``2026-01-31T23:30:00``."""

    def part(text: str) -> str:
        time = milliseconds(text)
        if time is None:
            raise MalformedEventError("the value is no time, such as 2026-01-31T23:30:00Z", "constraint")
        try:
            return (_EPOCH + timedelta(milliseconds=time)).isoformat()[begin:end]
        except OverflowError as error:
            raise MalformedEventError("the time is beyond the year 9999", "constraint") from error

    return part


# Each gets and gives text. What it cannot do raises MalformedEventError with the reason ``constraint``.
FUNCTIONS: Mapping[str, Callable[[str], str]] = {
    "basename": _basename,
    "dirname": _dirname,
    "stem": _stem,
    "suffix": _suffix,
    "lower": str.lower,
    "upper": str.upper,
    "unquote": _unquote,
    "date": _part_of_time(0, 10),
    "year": _part_of_time(0, 4),
    "month": _part_of_time(5, 7),
    "day": _part_of_time(8, 10),
    "hour": _part_of_time(11, 13),
    "minute": _part_of_time(14, 16),
}
