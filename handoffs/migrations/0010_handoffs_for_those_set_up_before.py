"""Give organisations that were set up before handoffs a checklist, an approval chain, and phases in their ramp."""

from decimal import Decimal

from django.db import migrations

LARGE = [{"field": "amount", "op": "at_least", "value": "250000"}]
# key, title, side, for, business days, section, evidence, required, action, key of what comes first
CHECKLIST = (
    ("hand-over-people", "Hand over everybody who matters at the client", "shared", "sales_owner", 8, "relationship",
     "", True, "relationships", ""),
    ("politics", "Write down who decides, who influences and who doubts", "sales", "sales_owner", 3, "relationship",
     "a few lines, or where they are", True, "", ""),
    ("scope-agreed", "Go through the scope together: what is in, what is out", "shared", "delivery_owner", 5, "scope",
     "the scope as agreed, or where it is", True, "", ""),
    ("scope-questions", "List the scope questions that are still open, each with an owner", "sales", "sales_owner", 5,
     "scope", "", False, "", ""),
    ("success-criteria", "Agree how the client will tell that it was a success", "shared", "delivery_owner", 5,
     "success_criteria", "the criteria, or where they are", True, "", ""),
    ("risks-agreed", "Agree the risk profile as it stands at the win", "shared", "delivery_owner", 5, "risks", "",
     True, "risk_profile", ""),
    ("first-weeks", "Say what could hurt in the first six weeks", "delivery", "delivery_owner", 5, "risks", "", False,
     "", ""),
    ("promises-noted", "Check that every promise to the client is on the ledger", "sales", "sales_owner", 3,
     "commitments", "", True, "", ""),
    ("contract", "File the signed contract or order", "sales", "sales_owner", 3, "commercials",
     "the document, or where it is", True, "", ""),
    ("estimate", "Hand over the estimate that the price stands on", "sales", "sales_owner", 3, "commercials",
     "the estimate, or where it is", True, "", ""),
    ("billing", "Walk finance through billing, terms and margin", "sales", "sales_manager", 5, "commercials", "", True,
     "", ""),
    ("first-team", "Name the team of the first weeks", "delivery", "resource_manager", 5, "staffing",
     "who, in which role, from when", True, "", ""),
    ("dates-hold", "Confirm the promised dates with those who do the work", "shared", "delivery_owner", 5, "staffing",
     "", True, "", "first-team"),
    ("kickoff-set", "Set the kick-off with the client", "delivery", "project_manager", 5, "start_up", "", True, "", ""),
    ("day-one", "Ask the client for access, data and contacts needed on day one", "delivery", "project_manager", 8,
     "start_up", "", False, "", ""),
)  # fmt: skip
# key of a task of the default ramp, its phase
PHASES = (
    ("handover-call", "internal_kickoff"), ("internal-kickoff", "internal_kickoff"),
    ("introduce-pm", "client_kickoff"), ("client-kickoff", "client_kickoff"), ("expectations", "mobilise"),
)  # fmt: skip
# key, title, side, business days after the kick-off, evidence, action
EXIT = (
    ("client-scope", "The client confirms the scope", "delivery", 20, "", "client_scope"),
    ("client-criteria", "The client confirms the success criteria", "delivery", 20, "", "client_criteria"),
    ("client-risks", "The client confirms the risk profile", "delivery", 20, "", "client_risks"),
    ("client-pulse", "The client rates the start", "delivery", 30, "", "pulse"),
    ("on-its-own", "The project runs without sales", "shared", 45, "the last report to the client, or where it is", ""),
)  # fmt: skip
# name, turn, role, from an amount of, escalate to
RULES = (
    ("Sales", 1, "sales_manager", None, "executive"), ("Delivery", 1, "delivery_manager", None, "executive"),
    ("Large deal", 2, "executive", Decimal(250_000), "administrator"),
)  # fmt: skip


def give(apps, schema_editor):
    """Only where there is an organisation, and only what is not there; deals won before have no handoff."""
    if not apps.get_model("accounts", "Organisation").objects.exists():
        return
    playbooks = apps.get_model("handoffs", "Playbook").objects
    tasks = apps.get_model("handoffs", "PlaybookTask").objects
    if not playbooks.filter(trigger="handoff").exists():
        _give_checklist(_free(playbooks), playbooks, tasks)
    rules = apps.get_model("handoffs", "ApprovalRule").objects
    if not rules.exists():
        for name, position, role, amount_from, escalate_to in RULES:
            rules.create(name=name, position=position, role=role, amount_from=amount_from, escalate_to=escalate_to)
    _give_phases(playbooks, tasks)


def _free(playbooks):
    """A key and a name that no playbook has."""
    key, name = "handoff", "The handoff's checklist"
    taken = playbooks.filter(key=key).exists() or playbooks.filter(name=name).exists()
    return ("handoff-checklist", "The checklist of a handoff") if taken else (key, name)


def _give_checklist(free, playbooks, tasks):
    key, name = free
    playbook = playbooks.create(key=key, name=name, trigger="handoff")
    made = {}
    for position, row in enumerate(CHECKLIST):
        key, title, side, assignee, days, section, evidence, is_required, action, after = row
        made[key] = tasks.create(
            playbook=playbook, key=key, title=title, side=side, assignee=assignee, offset_days=days, section=section,
            evidence=evidence, is_required=is_required, action=action, position=position,
            conditions=LARGE if key == "billing" else [],
        )  # fmt: skip
        if after:
            made[key].depends_on.add(made[after])


def _give_phases(playbooks, tasks):
    """The default ramp gets its phases and exit criteria; one of the organisation's own stays as it is."""
    playbook = playbooks.filter(key="won", trigger="won").first()
    if playbook is None:
        return
    own = tasks.filter(playbook=playbook)
    if own.exclude(phase="").exists():
        return
    for key, phase in PHASES:
        own.filter(key=key, phase="").update(phase=phase)
    known = set(own.values_list("key", flat=True))
    for position, (key, title, side, days, evidence, action) in enumerate(EXIT, start=1000):
        if key not in known:
            tasks.create(
                playbook=playbook, key=key, title=title, side=side, assignee="project_manager", offset_days=days,
                anchor="kickoff", evidence=evidence, action=action, phase="exit", position=position,
            )  # fmt: skip


class Migration(migrations.Migration):
    """Adds rows."""

    dependencies = [("handoffs", "0009_the_clients_words_stay"), ("accounts", "0002_review_clocks")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
