"""What this app puts on the deal page."""

from django.utils.translation import gettext_lazy as _

from opportunities.panels import DealPanel, register

STYLES = ("css/handoffs.css",)

register(DealPanel("handoffs:deal_panel", _("What delivery does for this deal"), 10, STYLES))
