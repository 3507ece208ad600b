"""What people say about a deal, and the files they add."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from opportunities.models.opportunity import Opportunity


class Comment(models.Model):
    """A remark on a deal's timeline; people named with @ are mentioned."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    body = models.TextField(_("comment"), max_length=10_000)
    mentions = models.ManyToManyField(User, blank=True, related_name="mentioned_in")
    # Given by the form; the same request never comments twice.
    request_id = models.UUIDField(default=uuid.uuid4, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    edited_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.body[:80]


def stored_name(_attachment: "Attachment", _given: str) -> str:
    """Where a file is kept: a name of our own, so that nothing of the sender's reaches the disk."""
    name = uuid.uuid4().hex
    return f"attachments/{name[:2]}/{name}"


class Attachment(models.Model):
    """A file on a deal, of an allowed kind, served as a download only."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="attachments")
    file = models.FileField(upload_to=stored_name, max_length=120)
    name = models.CharField(_("name"), max_length=200)
    size = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=120)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name
