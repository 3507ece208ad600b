from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("opportunities", "0005_what_waits")]

    operations = [
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(
                models.OrderBy(models.F("close_date"), nulls_last=True),
                models.F("id"),
                condition=models.Q(("archived_at__isnull", True), ("kind", "open")),
                name="opportunities_open",
            ),
        ),
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(
                models.F("id"),
                condition=models.Q(
                    ("archived_at__isnull", True),
                    ("is_unforecasted", True),
                    ("kind", "open"),
                    ("temperature__in", ["warm", "hot"]),
                ),
                name="opportunities_surprises",
            ),
        ),
        migrations.RemoveIndex(model_name="stagetotal", name="opportunities_totals_read"),
        migrations.AddIndex(
            model_name="stagetotal",
            index=models.Index(fields=["closed_month", "pipeline_id"], name="opportunities_totals_by_month"),
        ),
        migrations.AddIndex(
            model_name="stagetotal",
            index=models.Index(fields=["team_id", "closed_month"], name="opportunities_totals_by_team"),
        ),
        migrations.AddIndex(
            model_name="stagetotal",
            index=models.Index(fields=["owner_id", "closed_month"], name="opportunities_totals_by_owner"),
        ),
    ]
