"""Fields that read what people type with care, and say in a sentence what they can't read."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrOrPromise

from accounts.models import User
from accounts.models.organisation import validate_currency
from accounts.text import fault_in, trimmed
from opportunities.models import Account
from opportunities.money import NotAnAmount, parse_amount


class TextField(forms.CharField):
    """Text without characters that deceive or can't be kept; ends are trimmed of invisible ones too."""

    def __init__(self, *, is_multiline: bool = False, **kwargs: Any) -> None:
        self.is_multiline = is_multiline
        if is_multiline:
            kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        super().__init__(**kwargs)
        # Our own sentence covers it.
        self.validators = [each for each in self.validators if type(each).__name__ != "ProhibitNullCharactersValidator"]

    def to_python(self, value: Any) -> str:
        """The trimmed text, with one kind of line end. Raises ValidationError."""
        text = trimmed(super().to_python(value) or "").replace("\r\n", "\n")
        fault = fault_in(text, is_multiline=self.is_multiline)
        if fault:
            raise ValidationError(fault)
        return unicodedata.normalize("NFC", text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the text differs; unreadable text does."""
        try:
            return super().has_changed(initial, data)
        except ValidationError:
            return True


class AmountField(forms.Field):
    """Money in several notations."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def to_python(self, value: Any) -> Decimal | None:
        """The amount, or None when empty. Raises ValidationError."""
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return parse_amount(text)
        except NotAnAmount as error:
            raise ValidationError(str(error)) from error

    def prepare_value(self, value: Any) -> Any:
        """The plain figure for the input."""
        if isinstance(value, Decimal):
            return format(value.quantize(Decimal("0.01")), "f").removesuffix(".00")
        return value


class CurrencyField(TextField):
    """A currency's three letters, however they are capitalised."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=3, max_length=3, validators=[validate_currency], **kwargs)
        self.widget.attrs.update({"autocapitalize": "characters", "autocomplete": "off"})

    def to_python(self, value: Any) -> str:
        """The letters as capitals. Raises ValidationError."""
        return super().to_python(value).upper()


class DayField(forms.DateField):
    """A date, as the browser's own picker sends it."""

    default_error_messages = {"invalid": gettext_lazy("There is no such day. Write it like 2026-12-31.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
        kwargs.setdefault("input_formats", ["%Y-%m-%d", "%d.%m.%Y"])
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> dt.date | None:
        """The day; full-width digits are fine. Raises ValidationError."""
        return super().to_python(unicodedata.normalize("NFKC", value) if isinstance(value, str) else value)


class AccountField(TextField):
    """An account by its name, among those the person may see; ``suggestions`` is the id of the page's datalist.

    Where ``adds_new`` is set, a name that nobody has gives an account that is yet to be saved.
    """

    def __init__(
        self, *, user: User, suggestions: str = "account-names", adds_new: bool = False, **kwargs: Any
    ) -> None:
        self.user = user
        self.adds_new = adds_new
        kwargs.setdefault("max_length", 200)
        super().__init__(**kwargs)
        self.widget.attrs.update({"list": suggestions, "autocomplete": "off", "data-suggest": suggestions})

    def prepare_value(self, value: Any) -> Any:
        """The name for the input."""
        if isinstance(value, Account):
            return value.name
        if isinstance(value, int):
            return Account.objects.visible_to(self.user).filter(pk=value).values_list("name", flat=True).first() or ""
        return value

    def clean(self, value: Any) -> Any:
        """The account, None when empty. Raises ValidationError when the name is not known."""
        name = super().clean(value)
        if not name:
            return None
        found = self.find(name)
        if found is None and self.adds_new:
            return Account(name=name)
        if found is None:
            raise ValidationError(
                _("There is no account called “%(name)s”. Choose one of the list, or add it under Accounts first."),
                params={"name": name}, code="unknown",
            )  # fmt: skip
        return found

    def find(self, name: str) -> Account | None:
        """The account of that name, however it is capitalised."""
        return Account.objects.visible_to(self.user).filter(name__iexact=name).first()


class PickField(forms.TypedChoiceField):
    """One record out of a short list; the value is the record, None when empty. No number reaches the database."""

    default_error_messages = {"invalid_choice": gettext_lazy("Choose one from the list.")}

    def __init__(self, records: Iterable[Model], *, nothing: StrOrPromise = "–", **kwargs: Any) -> None:
        self.records = {str(record.pk): record for record in records}
        self.record_choices = [(key, str(record)) for key, record in self.records.items()]
        super().__init__(choices=[("", nothing), *self.record_choices], coerce=self._record, empty_value=None, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """The key of a record."""
        return value.pk if isinstance(value, Model) else value

    def clean(self, value: Any) -> Any:
        """The record. Raises ValidationError."""
        return super().clean(value.pk if isinstance(value, Model) else value)

    def _record(self, key: str) -> Model:
        return self.records[key]
