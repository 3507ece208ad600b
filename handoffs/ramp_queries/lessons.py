"""Lessons that wait for an administrator."""

from __future__ import annotations

from handoffs.models import Lesson, LessonProposal, LessonState, Playbook

MOST = 50


def open_proposals(playbook: Playbook | None = None) -> list[Lesson]:
    """What lessons would change in a playbook, or in any, and nobody has decided; the oldest first. One query."""
    waiting = Lesson.objects.filter(state=LessonState.OPEN, playbook__isnull=False).exclude(
        proposal=LessonProposal.NONE
    )
    if playbook is not None:
        waiting = waiting.filter(playbook=playbook)
    related = ("by", "playbook", "playbook_task", "plan__opportunity")
    return list(waiting.select_related(*related).order_by("at", "pk")[:MOST])
