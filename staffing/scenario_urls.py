"""Where what-if scenarios are reached."""

from django.urls import path

from staffing import scenario_change_views as changes
from staffing import scenario_views as views

urlpatterns = [
    path("scenarios/", views.scenarios, name="scenarios"),
    path("scenarios/add/", views.add, name="add_scenario"),
    path("scenarios/try/", changes.try_out, name="try_scenario"),
    path("scenarios/<int:pk>/", views.scenario, name="scenario"),
    path("scenarios/<int:pk>/change/", views.change, name="change_scenario"),
    path("scenarios/<int:pk>/archive/", views.archive, name="archive_scenario"),
    path("scenarios/<int:pk>/restore/", views.restore, name="restore_scenario"),
    path("scenarios/<int:pk>/add/<slug:kind>/", changes.add, name="add_scenario_change"),
    path("scenarios/changes/<int:pk>/", changes.change, name="scenario_change"),
    path("scenarios/changes/<int:pk>/remove/", changes.remove, name="remove_scenario_change"),
    path("scenarios/changes/<int:pk>/restore/", changes.restore, name="restore_scenario_change"),
    path("scenarios/changes/<int:pk>/apply/", changes.apply, name="apply_scenario_change"),
    path("scenarios/changes/<int:pk>/ask/", changes.ask, name="ask_scenario_change"),
]
