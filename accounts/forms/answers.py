"""What a view makes of a form: the service's refusal at the field, and the status of the answer."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.forms import Form


def accepted(form: Form, service: Callable[[], object]) -> bool:
    """Run the service on a valid form; what it refuses becomes the form's errors."""
    if not form.is_valid():
        return False
    try:
        service()
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


def status_of(*forms: Form) -> int:
    """422 when something that was sent in was refused, else 200."""
    return 422 if any(form.is_bound for form in forms) else 200
