"""Words for figures that people read."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

PROFICIENCY: Mapping[int, StrOrPromise] = {
    1: _("has begun"),
    2: _("with help"),
    3: _("on their own"),
    4: _("experienced"),
    5: _("teaches it"),
}
