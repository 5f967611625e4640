"""One Lambda invocation of the clean-up: calls about pipelines that CloudTrail reports, and sweeps, with their reports.

A sweep of a large estate takes several invocations: its message goes back to the queue and comes again at once. Sending
another message instead would look like a loop to Lambda, which stops loops.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline_triggers.domain.events import Event
from pipeline_triggers.domain.messages import Quarantined
from pipeline_triggers.domain.orphans import Failed, Kept, Report
from pipeline_triggers.errors import MalformedEventError, TransientError
from pipeline_triggers.invocation import answer_batch, bare_message, deadline_of, is_batch
from pipeline_triggers.observability import report_cleanup
from pipeline_triggers.reacting import CONTINUES, final_error
from pipeline_triggers.sources.cloudtrail import pipeline_call
from pipeline_triggers.sources.envelopes import read
from pipeline_triggers.sources.eventbridge import is_sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from pipeline_triggers.cleanup import Cleaner
    from pipeline_triggers.domain.ports import Clock, Quarantine, Queues
    from pipeline_triggers.reacting import Message
    from pipeline_triggers.sources.envelopes import Malformed
    from pipeline_triggers.watching import Watcher


@dataclass(frozen=True)
class CleanupWorker:
    """What the clean-up function does with what Lambda hands it.

    ``end_by`` is told when this invocation will be ended: no call may go on then.
    """

    cleaner: Cleaner
    watcher: Watcher
    quarantine: Quarantine
    queues: Queues
    clock: Clock
    end_by: Callable[[datetime], None]

    def answer(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Handle one invocation.

        SQS messages are answered with ``{"batchItemFailures": [...]}``: those that must come again. Any other event is
        answered with the report, ``{"deleted": [arn], "kept": [{arn, reason}], "failed": [{arn, reason}]}`` and more
        (``Report.to_document``); if something must be tried again, or a sweep is not finished, TransientError is raised
        instead, once everything else is done.
        """
        deadline = deadline_of(context, self.clock)
        self.end_by(deadline)
        if is_batch(event):
            return answer_batch(
                event,
                self.queues,
                self.clock,
                lambda message, _via: self._clean_up(message.body, message, deadline),
            )
        return self._clean_up(event, bare_message(event), deadline).to_document()

    def _clean_up(self, payload: str | Mapping[str, Any], message: Message, deadline: datetime) -> Report:
        report = Report.joined(self._report_on(item, message, deadline) for item in read(payload))
        report = replace(report, failed=tuple(self._settled(failed, message) for failed in report.failed))
        report_cleanup(report, message_id=message.id)
        if report.final:
            self._put_in_quarantine(report, message)
        if report.to_retry:
            first = report.to_retry[0].error
            raise TransientError(first.reason, f"{len(report.to_retry)} to be tried again, the first because: {first}")
        if report.unfinished:
            raise TransientError(CONTINUES, "the sweep goes on where it has stopped")
        return report

    def _report_on(self, item: Event | Malformed, message: Message, deadline: datetime) -> Report:
        if not isinstance(item, Event):
            return Report(failed=(Failed("", MalformedEventError(item.message, item.reason)),))
        if is_sweep(item.envelope):
            return self._sweep(message, deadline)
        call = pipeline_call(item, self.cleaner.home)
        if isinstance(call, Kept):
            return Report(kept=(call,))
        if call.operation == "DeletePipeline":
            return self.cleaner.on_deleted(call.pipeline_arn, deadline)
        return self.watcher.on_changed(call.pipeline_arn)

    def _sweep(self, message: Message, deadline: datetime) -> Report:
        """Sweep; and when that is complete, compare all triggers with their pipelines."""
        swept = self.cleaner.sweep(deadline, message.id)
        if swept.unfinished or swept.to_retry or "sweep-under-way" in swept.kept_because:
            return swept
        return Report.joined([swept, self.watcher.check_all(deadline)])

    def _settled(self, failed: Failed, message: Message) -> Failed:
        if isinstance(failed.error, MalformedEventError):
            return failed
        return replace(failed, error=final_error(failed.error, message, self.clock.now()))

    def _put_in_quarantine(self, report: Report, message: Message) -> None:
        self.quarantine.put(
            Quarantined(
                id=message.id,
                reason=report.final[0].error.reason,
                source_queue=message.queue_arn,
                received_at=message.first_received_at or self.clock.now(),
                body=message.body,
                decisions=(report.to_document(),),
                message="; ".join(dict.fromkeys(str(failed.error) for failed in report.final)),
            ),
        )
