"""Where people, what they are chosen by, the schedule and bookings are reached."""

from django.urls import path

from staffing import list_views, people_views, schedule_views, several_views

urlpatterns = [
    path("people/", people_views.people, name="people"),
    path("people/add/", people_views.add, name="add_person"),
    path("people/add-several/", several_views.add, name="add_several"),
    path("people/<int:pk>/", people_views.person, name="person"),
    path("people/<int:pk>/change/", people_views.change, name="change_person"),
    path("people/<int:pk>/archive/", people_views.archive, name="archive_person"),
    path("people/<int:pk>/restore/", people_views.restore, name="restore_person"),
    path("people/<int:pk>/skills/", people_views.skills, name="skills"),
    path("people/<int:pk>/time-off/add/", people_views.add_time_off, name="add_time_off"),
    path("people/<int:pk>/time-off/<int:time_off_pk>/remove/", people_views.remove_time_off, name="remove_time_off"),
    path("people/<int:pk>/time-off/<int:time_off_pk>/restore/", people_views.restore_time_off, name="restore_time_off"),
    path("settings/", list_views.settings, name="settings"),
    path("settings/lists/<slug:kind>/add/", list_views.add, name="add_listed"),
    path("settings/lists/<slug:kind>/<int:pk>/", list_views.rename, name="rename_listed"),
    path("settings/lists/<slug:kind>/<int:pk>/archive/", list_views.archive, name="archive_listed"),
    path("settings/lists/<slug:kind>/<int:pk>/restore/", list_views.restore, name="restore_listed"),
    path("schedule/", schedule_views.schedule_page, name="schedule"),
    path("schedule/deals/", schedule_views.deals, name="deals"),
    path("bookings/add/", schedule_views.add_booking, name="add_booking"),
    path("bookings/add-several/", several_views.book, name="book_several"),
    path("bookings/<int:pk>/", schedule_views.booking, name="booking"),
    path("bookings/<int:pk>/move/", schedule_views.move, name="move_booking"),
    path("bookings/<int:pk>/release/", schedule_views.release, name="release_booking"),
    path("bookings/<int:pk>/restore/", schedule_views.restore, name="restore_booking"),
]
