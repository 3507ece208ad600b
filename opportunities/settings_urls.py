"""Addresses of the settings pages for pipelines and stages."""

from django.urls import path

from opportunities.views import pipelines, stages

app_name = "pipelines"
urlpatterns = [
    path("", pipelines.pipeline_list, name="list"),
    path("add/", pipelines.add, name="add"),
    path("<int:pk>/", pipelines.detail, name="detail"),
    path("<int:pk>/change/", pipelines.change, name="change"),
    path("<int:pk>/shift/", pipelines.shift, name="shift"),
    path("<int:pk>/activate/", pipelines.activate, name="activate"),
    path("<int:pk>/order/", pipelines.order, name="order"),
    path("<int:pk>/stages/add/", stages.add, name="stage_add"),
    path("stages/<int:pk>/", stages.detail, name="stage"),
    path("stages/<int:pk>/shift/", stages.shift, name="stage_shift"),
    path("stages/<int:pk>/archive/", stages.archive, name="stage_archive"),
    path("stages/<int:pk>/restore/", stages.restore, name="stage_restore"),
]
