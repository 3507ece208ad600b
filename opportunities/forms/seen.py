"""Settings forms that remember what the person saw, so that two administrators don't overwrite each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from opportunities.services.merging import Collision


class SeenForm(forms.Form):
    """A form whose page also carries the values it was filled with, as ``seen-…``.

    A subclass gives the present values as ``present``; ``SEEN`` names the fields that take part.
    """

    SEEN: tuple[str, ...] = ()
    data: Any  # a QueryDict once it is bound

    def __init__(self, data: Any = None, *, present: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(data, initial=dict(present), **kwargs)
        self.present = dict(present)

    @property
    def seen_values(self) -> list[tuple[str, str]]:
        """Hidden inputs for the page: what the person sees at first, or saw when a refused form comes back."""
        if self.is_bound and "seen" not in self.data:
            return []
        pairs = [("seen", "1")]
        for name in self._taking_part():
            seen = self._seen_name(name)
            values = self.data.getlist(seen) if self.is_bound else self.as_texts(name, self.initial.get(name))
            pairs += [(seen, value) for value in values]
        return pairs

    @property
    def base(self) -> dict[str, Any]:
        """What the person saw, as far as it can be read; empty where the page did not say."""
        if "seen" not in self.data:
            return {}
        seen = {}
        for name in self._taking_part():
            try:
                seen[name] = self.read_seen(name, self.data.getlist(self._seen_name(name)))
            except ValidationError:
                continue
        return seen

    @property
    def wanted(self) -> dict[str, Any]:
        """The values given for the fields that take part."""
        return {name: self.cleaned_data[name] for name in self._taking_part()}

    def read_seen(self, name: str, texts: list[str]) -> Any:
        """A value as the page carried it. Raises ValidationError."""
        field = self.fields[name]
        required, field.required = field.required, False
        try:
            return field.clean(texts if isinstance(field, forms.MultipleChoiceField) else "".join(texts[-1:]))
        finally:
            field.required = required

    def as_texts(self, name: str, value: Any) -> list[str]:
        """A value as the page carries it."""
        prepared = self.fields[name].prepare_value(value)
        values = prepared if isinstance(prepared, list | tuple) else [prepared]
        return ["" if each is None else str(each) for each in values]

    def tell(self, collision: Collision) -> None:
        """Show both values at each field in conflict; sending the form again then means: mine."""
        self.data = self.data.copy()
        for name, (_base, theirs, _mine) in collision.fields.items():
            if name not in self.fields:
                self.add_error(None, str(collision))
                continue
            shown = self.readable(name, theirs) or _("nothing")
            sentence = _("Somebody changed this to “%(theirs)s” in the meantime. Save again to have yours.")
            self.add_error(name, sentence % {"theirs": shown})
            self.data.setlist(self._seen_name(name), self.as_texts(name, theirs))

    def readable(self, name: str, value: Any) -> str:
        """A value in words: the label of a choice, else the value itself."""
        choices = dict(getattr(self.fields[name], "choices", []))
        values = value if isinstance(value, list | tuple | set | frozenset) else [value]
        return ", ".join(str(choices.get(each, "" if each is None else each)) for each in values)

    def _taking_part(self) -> list[str]:
        return [name for name in self.SEEN if name in self.fields]

    def _seen_name(self, name: str) -> str:
        return f"seen-{self.add_prefix(name)}"
