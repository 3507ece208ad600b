"""Handoffs of won deals."""

from django.urls import path

from handoffs.views import handoff_brief, handoff_items, handoff_lists, handoff_people, handoff_steps

urlpatterns = [
    path("handoffs/", handoff_lists.handoff_list, name="handoffs"),
    path("handoffs/<int:pk>/", handoff_lists.detail, name="handoff"),
    path("handoffs/<int:pk>/brief/", handoff_brief.brief, name="brief"),
    path("handoffs/<int:pk>/brief.pdf", handoff_brief.brief_pdf, name="brief_pdf"),
    path("handoffs/<int:pk>/items/add/", handoff_items.add, name="add_item"),
    path("handoffs/<int:pk>/project-manager/", handoff_people.project_manager, name="project_manager"),
    path("handoffs/<int:pk>/submit/", handoff_steps.submit, name="submit_handoff"),
    path("handoffs/<int:pk>/recall/", handoff_steps.recall, name="recall_handoff"),
    path("handoffs/<int:pk>/revise/", handoff_steps.revise, name="revise_handoff"),
    path("handoffs/<int:pk>/accept/", handoff_steps.accept, name="accept_handoff"),
    path("handoffs/items/<int:pk>/", handoff_items.item, name="item"),
    path("handoffs/items/<int:pk>/waive/", handoff_items.waive, name="waive_item"),
    path("handoffs/relationships/<int:pk>/", handoff_people.relationship, name="relationship"),
    path("handoffs/relationships/<int:pk>/accept/", handoff_people.take_over, name="accept_relationship"),
    path("deals/<int:pk>/handoff/", handoff_lists.panel, name="handoff_panel"),
]
