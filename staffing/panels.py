"""What this app puts on the deal page."""

from django.utils.translation import gettext_lazy as _

from opportunities.panels import DealPanel, register

register(DealPanel("staffing:need_panel", _("What it takes"), 25, ("css/handoffs-ledger.css", "css/needs.css")))
register(DealPanel("staffing:earliest", _("Earliest safe start"), 27, ("css/horizon.css",)))
