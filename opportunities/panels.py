"""Panels that upper apps put on the deal page: one registry, by URL name, filled in their AppConfig.ready.

The page embeds a panel as a fragment from its own address, with the deal's key as ``pk``; it knows nothing else of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django_stubs_ext import StrOrPromise

from opportunities.models import Opportunity, StageKind


@dataclass(frozen=True)
class DealPanel:
    """A part of the deal page. ``label`` stands in for it until it is loaded, ``styles`` are its style sheets.

    ``scripts`` are modules, which hold no state of a panel: panels are replaced as they change.

    A wide one stands across the page, above what the columns hold. With ``kind`` it is about such deals only, won ones
    say; on the page of another deal it takes no place until the deal becomes one.
    """

    url_name: str
    label: StrOrPromise
    position: int
    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    is_wide: bool = False
    kind: StageKind | None = None


@dataclass(frozen=True)
class Placed:
    """A panel for one deal; ``is_due`` says whether there is anything in it as the deal stands."""

    url: str
    label: StrOrPromise
    is_wide: bool
    is_due: bool = True


PANELS: dict[str, DealPanel] = {}


def register(panel: DealPanel) -> DealPanel:
    """Add a panel; a URL name can be taken once."""
    if panel.url_name in PANELS:
        raise ValueError(f"The panel {panel.url_name!r} is registered twice.")
    PANELS[panel.url_name] = panel
    return panel


def panels_of(deal: Opportunity) -> list[Placed]:
    """The panels of a deal, from the top."""
    ordered = sorted(PANELS.values(), key=lambda panel: panel.position)
    return [
        Placed(
            reverse(panel.url_name, args=[deal.pk]), panel.label, panel.is_wide,
            is_due=panel.kind is None or panel.kind == deal.kind,
        )
        for panel in ordered
    ]  # fmt: skip


def panel_styles() -> list[str]:
    """The style sheets that the panels need, each once."""
    ordered = sorted(PANELS.values(), key=lambda panel: panel.position)
    return list(dict.fromkeys(style for panel in ordered for style in panel.styles))


def panel_scripts() -> list[str]:
    """The modules that the panels need, each once."""
    ordered = sorted(PANELS.values(), key=lambda panel: panel.position)
    return list(dict.fromkeys(script for panel in ordered for script in panel.scripts))
