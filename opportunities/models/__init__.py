"""What sales pursues: clients, pipelines, deals and their history."""

from opportunities.models.clients import Account, Contact, StakeholderRole
from opportunities.models.conversation import Attachment, Comment
from opportunities.models.forecast import ForecastSnapshot, SnapshotLine
from opportunities.models.history import GateBypass, StageChange
from opportunities.models.opportunity import (
    LossReason,
    Opportunity,
    OpportunityQuerySet,
    UnforecastedReason,
)
from opportunities.models.pipeline import (
    Criterion,
    ForecastCategory,
    Pipeline,
    Policy,
    Stage,
    StageKind,
    Temperature,
)
from opportunities.models.totals import StageTotal
from opportunities.models.views import SavedView

__all__ = [
    "Account",
    "Attachment",
    "Comment",
    "Contact",
    "Criterion",
    "ForecastCategory",
    "ForecastSnapshot",
    "GateBypass",
    "LossReason",
    "Opportunity",
    "OpportunityQuerySet",
    "Pipeline",
    "Policy",
    "SavedView",
    "SnapshotLine",
    "Stage",
    "StageChange",
    "StageKind",
    "StageTotal",
    "StakeholderRole",
    "Temperature",
    "UnforecastedReason",
]
