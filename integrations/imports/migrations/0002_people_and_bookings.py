"""Files of people and of bookings, beside those of deals."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Which kind of rows a file has, and which row is about whom."""

    dependencies = [("imports", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="import",
            name="kind",
            field=models.CharField(
                choices=[("deals", "Deals"), ("people", "People"), ("bookings", "Bookings")],
                default="deals",
                max_length=10,
            ),
        ),
        migrations.AddField(model_name="import", name="plan", field=models.JSONField(default=dict)),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.CheckConstraint(
                condition=Q(kind__in=["deals", "people", "bookings"]), name="imports_kind_known"
            ),
        ),
    ]
