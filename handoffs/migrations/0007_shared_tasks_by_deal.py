from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("handoffs", "0006_reviews_for_those_set_up_before")]

    operations = [
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("side", "shared"), ("state", "open")),
                fields=["opportunity", "due_on", "id"],
                include=("sales_done_at", "delivery_done_at"),
                name="handoffs_tasks_shared",
            ),
        ),
    ]
