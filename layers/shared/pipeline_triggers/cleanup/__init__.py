"""Use case: a pipeline is deleted or missing → nothing is left that starts it.

A schedule is deleted only if SageMaker says at that moment that its pipeline does not exist (``Pipelines.absent``), and
nothing protects it. ``cleaner`` is where to begin: an event about a pipeline leads by ``searching`` to ``deleting``, a
sweep by ``looking``.
"""

from pipeline_triggers.cleanup.cleaner import Cleaner
from pipeline_triggers.cleanup.estate import STEP_BUDGET, Estate, Rates
from pipeline_triggers.cleanup.looking import Progress

__all__ = ["STEP_BUDGET", "Cleaner", "Estate", "Progress", "Rates"]
