"""Rights come from rules alone."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User


@pytest.mark.parametrize(("who", "may"), [("ada", True), ("sam", False), ("eve", False)])
def test_a_right_is_asked_without_a_query(who: str, may: bool, request: Any, django_assert_num_queries: Any) -> None:
    person = request.getfixturevalue(who)
    with django_assert_num_queries(0):
        assert person.has_perm("accounts.administer") is may


def test_a_right_that_no_rule_knows_is_nobodys(ada: User) -> None:
    assert not ada.has_perm("accounts.fly")


def test_the_deactivated_have_none(ada: User) -> None:
    ada.is_active = False
    assert not ada.has_perm("accounts.administer")
