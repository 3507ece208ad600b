"""Where imports are reached."""

from django.urls import path

from integrations.imports import views
from integrations.imports.staffing import views as files

app_name = "imports"

urlpatterns = [
    path("", views.import_list, name="list"),
    path("people/", views.import_list, {"kind": "people"}, name="people"),
    path("people/export.<slug:form>", files.export, {"kind": "people"}, name="export_people"),
    path("people/template.<slug:form>", files.template, {"kind": "people"}, name="people_template"),
    path("bookings/", views.import_list, {"kind": "bookings"}, name="bookings"),
    path("bookings/export.<slug:form>", files.export, {"kind": "bookings"}, name="export_bookings"),
    path("bookings/template.<slug:form>", files.template, {"kind": "bookings"}, name="bookings_template"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/progress/", views.progress, name="progress"),
    path("<int:pk>/errors.csv", views.errors, name="errors"),
    path("<int:pk>/change/", views.change, name="change"),
    path("<int:pk>/start/", views.start, name="start"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/resume/", views.resume, name="resume"),
    path("<int:pk>/revert/", views.revert, name="revert"),
]
