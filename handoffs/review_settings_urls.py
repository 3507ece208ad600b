"""Addresses of the settings pages for deal reviews."""

from django.urls import path

from handoffs.views import review_questions, review_settings

app_name = "review_settings"
urlpatterns = [
    path("", review_settings.home, name="home"),
    path("add/", review_settings.add, name="add"),
    path("<int:pk>/", review_settings.detail, name="detail"),
    path("<int:pk>/rename/", review_settings.rename, name="rename"),
    path("<int:pk>/copy/", review_settings.copy, name="copy"),
    path("<int:pk>/activate/", review_settings.activate, name="activate"),
    path("<int:pk>/questions/", review_questions.questions, name="questions"),
    path("<int:pk>/questions/order/", review_questions.order, name="order"),
    path("<int:pk>/questions/add/", review_questions.add, name="question_add"),
    path("questions/<int:pk>/", review_questions.change, name="question"),
    path("questions/<int:pk>/shift/", review_questions.shift, name="question_shift"),
    path("questions/<int:pk>/archive/", review_questions.archive, name="question_archive"),
    path("questions/<int:pk>/restore/", review_questions.restore, name="question_restore"),
    path("escalation/add/", review_settings.step_add, name="step_add"),
    path("escalation/<int:pk>/", review_settings.step_change, name="step"),
    path("escalation/<int:pk>/remove/", review_settings.step_remove, name="step_remove"),
]
