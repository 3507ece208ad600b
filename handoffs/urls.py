"""Where what sales and delivery own together is reached."""

from django.urls import path

from handoffs import approval_urls, client_urls, handoff_urls, ledger_urls, ramp_urls, review_urls
from handoffs.views import engagements, panel, tasks

app_name = "handoffs"

urlpatterns = [
    path("deals/<int:pk>/delivery/", panel.deal_panel, name="deal_panel"),
    path("deals/<int:pk>/delivery/ask/", panel.ask_in, name="ask_in"),
    path("deals/<int:pk>/delivery/dates/", panel.reschedule_preview, name="reschedule_preview"),
    path("engagements/", engagements.engagement_list, name="engagements"),
    path("engagements/<int:pk>/accept/", engagements.accept, name="accept"),
    path("engagements/<int:pk>/decline/", engagements.decline, name="decline"),
    path("engagements/<int:pk>/reassign/", engagements.reassign, name="reassign"),
    path("engagements/<int:pk>/complete/", engagements.complete, name="complete"),
    path("tasks/<int:pk>/complete/", tasks.complete, name="complete_task"),
    path("tasks/<int:pk>/reopen/", tasks.reopen, name="reopen_task"),
    path("tasks/<int:pk>/change/", tasks.change, name="change_task"),
    *review_urls.urlpatterns,
    *ledger_urls.urlpatterns,
    *handoff_urls.urlpatterns,
    *approval_urls.urlpatterns,
    *ramp_urls.urlpatterns,
    *client_urls.urlpatterns,
]
