"""Addresses of the API, version 1."""

from django.urls import path, re_path

from api import (
    clients,
    dashboard,
    docs,
    endpoints,
    engagements,
    moves,
    opportunities,
    pipelines,
    tasks,
    timeline,
    tokens,
)

app_name = "api"

urlpatterns = [
    path("schema/", docs.Schema.as_view(), name="schema"),
    path("docs/", docs.page, name="docs"),
    path("auth/token/", tokens.TokenNew.as_view(), name="token"),
    path("accounts/", clients.Accounts.as_view(), name="accounts"),
    path("accounts/<int:pk>/", clients.AccountDetail.as_view(), name="account"),
    path("contacts/", clients.Contacts.as_view(), name="contacts"),
    path("contacts/<int:pk>/", clients.ContactDetail.as_view(), name="contact"),
    path("pipelines/", pipelines.Pipelines.as_view(), name="pipelines"),
    path("pipelines/<int:pk>/", pipelines.PipelineDetail.as_view(), name="pipeline"),
    path("stages/", pipelines.Stages.as_view(), name="stages"),
    path("stages/<int:pk>/", pipelines.StageDetail.as_view(), name="stage"),
    path("opportunities/", opportunities.Opportunities.as_view(), name="opportunities"),
    path("opportunities/<int:pk>/", opportunities.OpportunityDetail.as_view(), name="opportunity"),
    path("opportunities/<int:pk>/move/", moves.OpportunityMove.as_view(), name="opportunity_move"),
    path("opportunities/<int:pk>/snooze/", moves.OpportunitySnooze.as_view(), name="opportunity_snooze"),
    path("opportunities/<int:pk>/temperature/", moves.OpportunityTemperature.as_view(), name="opportunity_temperature"),
    path("opportunities/<int:pk>/lose/", moves.OpportunityLose.as_view(), name="opportunity_lose"),
    path("opportunities/<int:pk>/reopen/", moves.OpportunityReopen.as_view(), name="opportunity_reopen"),
    path("opportunities/<int:pk>/history/", timeline.OpportunityHistory.as_view(), name="opportunity_history"),
    path("opportunities/<int:pk>/timeline/", timeline.OpportunityTimeline.as_view(), name="opportunity_timeline"),
    path("events/", timeline.Events.as_view(), name="events"),
    path("engagements/", engagements.Engagements.as_view(), name="engagements"),
    path("engagements/<int:pk>/", engagements.EngagementDetail.as_view(), name="engagement"),
    path("engagements/<int:pk>/accept/", engagements.EngagementAccept.as_view(), name="engagement_accept"),
    path("engagements/<int:pk>/decline/", engagements.EngagementDecline.as_view(), name="engagement_decline"),
    path("engagements/<int:pk>/reassign/", engagements.EngagementReassign.as_view(), name="engagement_reassign"),
    path("engagements/<int:pk>/complete/", engagements.EngagementComplete.as_view(), name="engagement_complete"),
    path("tasks/", tasks.Tasks.as_view(), name="tasks"),
    path("tasks/<int:pk>/", tasks.TaskDetail.as_view(), name="task"),
    path("tasks/<int:pk>/complete/", tasks.TaskComplete.as_view(), name="task_complete"),
    path("tasks/<int:pk>/reopen/", tasks.TaskReopen.as_view(), name="task_reopen"),
    path("dashboard/", dashboard.Dashboard.as_view(), name="dashboard"),
    re_path("^(?P<rest>.*)$", endpoints.nothing, name="nothing"),
]
