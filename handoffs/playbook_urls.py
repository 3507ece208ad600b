"""Addresses of the settings pages for playbooks."""

from django.urls import path

from handoffs.views import playbook_tasks, playbooks

app_name = "playbooks"
urlpatterns = [
    path("", playbooks.playbook_list, name="list"),
    path("add/", playbooks.add, name="add"),
    path("<int:pk>/", playbooks.detail, name="detail"),
    path("<int:pk>/rename/", playbooks.rename, name="rename"),
    path("<int:pk>/copy/", playbooks.copy, name="copy"),
    path("<int:pk>/activate/", playbooks.activate, name="activate"),
    path("<int:pk>/example/", playbooks.example, name="example"),
    path("<int:pk>/tasks/", playbooks.tasks, name="tasks"),
    path("<int:pk>/tasks/order/", playbooks.order, name="order"),
    path("<int:pk>/tasks/add/", playbook_tasks.add, name="task_add"),
    path("tasks/<int:pk>/", playbook_tasks.change, name="task"),
    path("tasks/<int:pk>/shift/", playbook_tasks.shift, name="task_shift"),
    path("tasks/<int:pk>/archive/", playbook_tasks.archive, name="task_archive"),
    path("tasks/<int:pk>/restore/", playbook_tasks.restore, name="task_restore"),
]
