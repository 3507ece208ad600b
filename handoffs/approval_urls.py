"""Approving handoffs, and standing in for each other; part of the namespace handoffs."""

from django.urls import path

from handoffs.views import approvals, delegations

urlpatterns = [
    path("approvals/", approvals.inbox, name="approvals"),
    path("approvals/decided/", approvals.decided, name="approvals_decided"),
    path("approvals/delegations/", delegations.delegation_list, name="delegations"),
    path("approvals/delegations/<int:pk>/end/", delegations.end, name="end_delegation"),
    path("approvals/<int:pk>/", approvals.detail, name="approval"),
    path("approvals/<int:pk>/actions/", approvals.actions, name="approval_actions"),
    path("approvals/<int:pk>/approve/", approvals.approve, name="approval_approve"),
    path("approvals/<int:pk>/request-changes/", approvals.request_changes, name="approval_request_changes"),
    path("approvals/<int:pk>/reject/", approvals.reject, name="approval_reject"),
]
