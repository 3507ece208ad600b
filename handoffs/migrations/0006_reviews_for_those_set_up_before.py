"""Give organisations that were set up before deal reviews their questions, their chain, and tasks that start reviews."""

from django.db import migrations

# question, what a five means, asked in express reviews too
QUESTIONS = (
    ("Is the scope clear?",
     "What is in and what is out is written down, and both of us read it the same way.", True),
    ("Are the success criteria written down?",
     "The client has said how it will tell that this was a success, and it can be measured.", False),
    ("Do the promised dates hold?",
     "Start and end are agreed with the people who do the work, with room for surprises.", True),
    ("Is the team there?",
     "The roles and skills are known, and people are free from the wanted start.", True),
    ("Can the client do its part?",
     "What we need from the client (people, access, data, decisions) is named and agreed.", False),
    ("Does the price fit the effort?",
     "The estimate was made by people who have done such work, and the price covers it with its risks.", True),
    ("Do we know the people, and do they trust us?",
     "We know who decides and who uses it, and could call them today with bad news.", False),
    ("Can we do it technically?",
     "We have done this before with these tools; what is new to us is small and was tried.", False),
    ("Are the terms fair?",
     "Acceptance, payment, liability and changes are settled in words that we can live with.", False),
)  # fmt: skip
# hours after the clock ran out, and who hears of it
CHAIN = ((0, "delivery_manager"), (4, "sales_manager"), (12, "executive"))
# key of the default playbook, key of its task, what the task starts
ACTIONS = (
    ("hot", "deal-review", "review"),
    ("hot", "staffing-needs", "staffing"),
    ("fast-lane", "express-review", "express_review"),
)


def give(apps, schema_editor):
    """Only where there is an organisation, and only what is not there; tasks on deals stay as they are."""
    if not apps.get_model("accounts", "Organisation").objects.exists():
        return
    model = {name: apps.get_model("handoffs", name) for name in ("QuestionSet", "Question", "EscalationStep")}
    if not model["QuestionSet"].objects.exists():
        made = model["QuestionSet"].objects.create(name="Every deal")
        for position, (text, hint, is_express) in enumerate(QUESTIONS):
            model["Question"].objects.create(
                question_set=made, text=text, hint=hint, is_express=is_express, position=position
            )
    if not model["EscalationStep"].objects.exists():
        for position, (hours, role) in enumerate(CHAIN, start=1):
            model["EscalationStep"].objects.create(position=position, hours=hours, role=role)
    tasks = apps.get_model("handoffs", "PlaybookTask").objects
    for playbook, key, action in ACTIONS:
        # Done by signing now; what was wanted as evidence is the verdict itself.
        known = tasks.filter(playbook__key=playbook, key=key, action="")
        known.update(action=action, **({"evidence": ""} if action == "review" else {}))


class Migration(migrations.Migration):
    dependencies = [("handoffs", "0005_what_the_clock_counts_from"), ("accounts", "0002_review_clocks")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
