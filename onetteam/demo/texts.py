"""What the people of the demo say and write down."""

from __future__ import annotations

STEPS = {
    "prospect": ("Call back after their board meeting", "Find out who holds the budget", "Send two references"),
    "qualified": ("Meet the users on site", "Agree what success would mean to them", "Map who decides"),
    "discovery": ("Workshop on scope with delivery", "Get the interface list from their IT", "Visit their planners"),
    "proposal": ("Go through it with the sponsor", "Answer procurement’s questions", "Agree the dates with delivery"),
    "negotiation": ("Settle liability with legal", "Agree the start with delivery", "Confirm the signature date"),
}  # fmt: skip
ABOUT = (
    "They run this on a system that its maker no longer supports. A failure last winter cost them two days.",
    "Started after a visit to one of our references. The sponsor wants a first part live before the summer.",
    "Three departments do the same work in three tools. They want one, and the figures to agree.",
    "Grew out of an audit finding. The date is real; the scope is still open.",
    "They tried it themselves for a year and now look for somebody who has done it before.",
)
COMMENTS = (
    "@{delivery} they ask whether the first part can be live before June. What would we need for that?",
    "Had them on the phone: the budget is approved, the contract goes through their legal department next week.",
    "@{sales} please don't promise the second site yet. The data there is in a different shape.",
    "Their enterprise architect is sceptical about the hosting. We should bring our security lead to the next call.",
    "The sponsor moves to another post in spring. We need a second friend there.",
    "@{delivery} notes from the workshop are in the files. The interface to their planning tool is the open question.",
    "Procurement compares us with one competitor. Price is close, references decide.",
    "@{sales} effort is done on my side. It holds if they give us test data by the start.",
    "They liked the demo. The plant manager asked twice about training for the night shift.",
)
EVIDENCE = (
    "Sketch is in the files: 2 engineers and an architect for 14 weeks",
    "Held by video with both sides; go, if test data is there by the start",
    "Introduced in the call on Tuesday; minutes are with the client",
    "Agreed with the sponsor by e-mail",
)
FILES = (
    ("workshop-notes.md", """# Workshop on scope

Present: their planners, IT, our sales and delivery.

- In: planning, hand-held devices, interface to the order system
- Out: payroll, the old archive
- Open: who cleans the master data, and by when
"""),
    ("effort-estimate.csv", """role,weeks,hours per week
Architect,6,16
Engineer,14,64
Tester,8,24
Project manager,14,16
"""),
    ("interface-list.txt", """1. Orders        nightly file, to become an API
2. Master data   three sources, one owner wanted
3. Sign-on       theirs, OIDC
"""),
)  # fmt: skip
LOSS_NOTES = {
    "competitor": "Went with the firm that built the old system.",
    "price": "Our offer was a fifth above the budget; they cut the scope and do it themselves.",
    "scope": "Wanted hardware and software from one hand.",
    "timing": "Put off until after their merger.",
    "capacity": "Wanted to start within three weeks; we had nobody.",
    "no_decision": "The sponsor left and nobody took it up.",
    "withdrawn": "We could not agree on liability.",
}
NEEDS = (
    "platform",
    "portal",
    "planning",
    "reporting",
    "archive",
    "integration",
    "mobile work",
    "data quality",
    "monitoring",
)
OCCASIONS = (
    "Renewal of the {need}",
    "New {need}",
    "{need}, phase two",
    "{need} pilot",
    "{need} for the group",
    "Move of the {need}",
)
