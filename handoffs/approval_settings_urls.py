"""Addresses of the settings pages for the approval chain."""

from django.urls import path

from handoffs.views import approval_settings

app_name = "approval_settings"
urlpatterns = [
    path("", approval_settings.home, name="home"),
    path("default/", approval_settings.start_default, name="default"),
    path("add/", approval_settings.add, name="add"),
    path("<int:pk>/", approval_settings.change, name="rule"),
    path("<int:pk>/shift/", approval_settings.shift, name="shift"),
    path("<int:pk>/archive/", approval_settings.archive, name="archive"),
    path("<int:pk>/restore/", approval_settings.restore, name="restore"),
]
