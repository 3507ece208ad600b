"""Addresses of the page about background work. The live stream is not among them: it is served beside Django."""

from django.urls import path

from events import views

app_name = "events"
urlpatterns = [
    path("settings/deliveries/", views.deliveries, name="deliveries"),
    path("settings/deliveries/<int:pk>/retry/", views.retry, name="retry"),
    path("settings/deliveries/<int:pk>/discard/", views.discard, name="discard"),
]
