"""What the API itself must remember: tokens, and answers to repeated requests."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from accounts.models import User


class Token(AbstractAuthToken):
    """A token for programs, kept as a hash. The plain text is shown once, when it is made."""

    name = models.CharField(_("what it is for"), max_length=80)
    # A day, not a moment, so that a busy program does not write at every request.
    last_used_on = models.DateField(_("last used"), null=True, blank=True)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name


class KeptAnswer(models.Model):
    """The first answer to a request with an Idempotency-Key, written in the same transaction as its effect."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=200)
    # SHA-256 over path and body: the same key for another request is a mistake of the caller.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="api_one_answer_per_key")]
        indexes = [models.Index(fields=["created_at"], name="api_answers_by_age")]

    def __str__(self) -> str:
        return f"{self.key}: {self.status}"
