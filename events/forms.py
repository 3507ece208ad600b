"""Input about deliveries."""

from django import forms
from django.utils.translation import gettext_lazy as _

from events.models import Delivery


class DiscardForm(forms.Form):
    """Why something may stay undone."""

    reason = forms.CharField(
        label=_("Why this may stay undone"), max_length=Delivery._meta.get_field("discard_reason").max_length
    )
