"""What this app puts on the deal page."""

from django.utils.translation import gettext_lazy as _

from opportunities.models import StageKind
from opportunities.panels import DealPanel, register

STYLES = ("css/handoffs.css",)
LEDGER_STYLES = (*STYLES, "css/handoffs-ledger.css")

register(DealPanel("handoffs:deal_panel", _("What delivery does for this deal"), 10, STYLES, is_wide=True))
register(
    DealPanel(
        "handoffs:handoff_panel", _("The handoff to delivery"), 15, (*STYLES, "css/handoff.css"), kind=StageKind.WON
    )
)
register(DealPanel("handoffs:ramp_panel", _("The ramp plan"), 17, ("css/ramp.css",), kind=StageKind.WON))
register(DealPanel("handoffs:client_panel", _("The client’s word"), 18, (*LEDGER_STYLES, "css/client-panel.css")))
register(DealPanel("handoffs:review_panel", _("The deal review"), 20, ("css/reviews.css",), ("js/reviews.js",)))
register(DealPanel("handoffs:commitment_panel", _("Promises to the client"), 30, LEDGER_STYLES))
register(DealPanel("handoffs:risk_panel", _("Risks"), 40, LEDGER_STYLES))
register(DealPanel("handoffs:exposure_panel", _("Fixed before delivery came in"), 50, LEDGER_STYLES))
