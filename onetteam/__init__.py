"""The project package. Celery is loaded with it so that `shared_task` finds its application in every process."""

from onetteam.celery import app as celery_app

__all__ = ["celery_app"]
