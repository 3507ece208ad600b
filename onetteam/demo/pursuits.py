"""The deals that Fjord & Field is after right now, and those it closed in the last weeks."""

from __future__ import annotations

from dataclasses import dataclass

# Where a deal stands, in the order in which it gets there.
STAGES = ("prospect", "qualified", "discovery", "proposal", "negotiation")


@dataclass(frozen=True)
class Pursuit:
    """One deal: for whom, what, in which service line, whose, where it stands, and what is particular about it.

    ``amount`` is in thousands of euros, roughly; ``age`` and ``closes`` are days from today; ``traits`` are words that
    the story understands.
    """

    client: str
    name: str
    line: str
    owner: str
    stage: str
    amount: int | None
    age: int
    closes: int
    traits: frozenset[str]

    def has(self, trait: str) -> bool:
        """Whether something is particular about it."""
        return trait in self.traits


def _read(table: str) -> tuple[Pursuit, ...]:
    found = []
    for line in table.strip().splitlines():
        client, name, service, owner, stage, amount, age, closes, *traits = (cell.strip() for cell in line.split("|"))
        found.append(
            Pursuit(
                client, name, service, owner, stage, None if amount == "-" else int(amount), int(age), int(closes),
                frozenset(traits[0].split() if traits else ()),
            )
        )  # fmt: skip
    return tuple(found)


# client | deal | line | owner | stage | amount | opened days ago | closes in days | traits
OPEN = _read("""
Brisk Harbour Logistics | Terminal platform, cloud | cloud | Alice | negotiation | 480 | 118 | 16 | files chatty pushed
Hallvik Timber | Sawmill sensors, live view | data | Alice | proposal | 165 | 96 | 31 | chatty
Skarvøy Seafood | Harvest planning renewal | apps | Alice | discovery | 210 | 58 | 54 |
Fjellbanen Rail | Timetable data platform | data | Alice | negotiation | 390 | 9 | 21 | leap
Rimfrost Dairies | Disaster recovery in a second region | cloud | Alice | proposal | 140 | 74 | -6 | late_step
Sundet Ferries | Booking portal, phase one | apps | Alice | qualified | 260 | 41 | 88 |
Grønnegade Housing | Tenant app | apps | Alice | prospect | 95 | 20 | 120 | no_step
Polarljus Mining | Observability for the control rooms | cloud | Alice | qualified | 120 | 63 | 70 | cooled
Tindra Telecom | Landing zone and guardrails | cloud | Alice | discovery | 230 | 52 | 46 | fresh
Nordanvind Power | Wind park maintenance planning | apps | Sam | negotiation | 720 | 132 | 12 | files chatty
Östmark Insurance | Claims triage with machine learning | data | Sam | proposal | 340 | 88 | 27 | sek pulled
Lumihiutale Retail | Demand forecast for fresh goods | data | Henrik | discovery | 185 | 47 | 60 | accepted
Kaarna Paper | Mill reporting warehouse | data | Henrik | proposal | 225 | 101 | 24 | busy
Havblik Hospitals | Patient flow dashboard | data | Henrik | qualified | 150 | 33 | 95 |
Brisk Harbour Logistics | Yard planning on tablets | apps | Henrik | prospect | - | 14 | 130 | unpriced
Nordanvind Power | Identity and access renewal | cloud | Maja | discovery | 175 | 55 | 49 | declined
Fjellbanen Rail | Works permits without paper | apps | Maja | proposal | 198 | 79 | 34 |
Tindra Telecom | Field service on tablets | apps | Maja | prospect | 310 | 11 | 140 |
Hallvik Timber | Data centre exit, first wave | cloud | Maja | negotiation | 560 | 121 | 18 | chatty
Rimfrost Dairies | Quality records across dairies | apps | Joonas | qualified | 88 | 70 | 61 | snoozed
Kaarna Paper | Supplier portal | apps | Joonas | discovery | 132 | 44 | 57 | express
Skarvøy Seafood | Cold chain telemetry | data | Joonas | prospect | 76 | 8 | 125 | no_step
Lumihiutale Retail | Web shop on managed containers | cloud | Joonas | proposal | 205 | 92 | 29 | pushed
Havblik Hospitals | Shift planning | apps | - | prospect | 110 | 6 | 110 | no_step
Alpenhof Kliniken | Ward stock on handhelds | apps | Charlie | proposal | 174 | 83 | 22 | chatty
Seeblick Privatbank | Reporting warehouse renewal | data | Charlie | negotiation | 610 | 109 | 11 | files
Wolkenstein Pharma | Validated cloud workspace | cloud | Charlie | discovery | 330 | 61 | 52 | fresh
Gleisdreieck Mobil | Fleet data lake | data | Charlie | qualified | 190 | 37 | 82 |
Kupferhammer Metall | Order to invoice, new core | apps | Charlie | prospect | 420 | 17 | 150 | late_step
Hohentauern Tourism | Booking peak readiness | cloud | Charlie | proposal | 98 | 69 | -11 | pushed
Brennerwerk Maschinenbau | Spare parts portal | apps | Tobias | discovery | 245 | 50 | 66 |
Steinbach Versicherung | Policy archive to the cloud | cloud | Tobias | negotiation | 440 | 115 | 14 | busy
Rheinufer Stadtwerke | Meter data platform | data | Tobias | proposal | 380 | 94 | 35 | chatty
Elbquell Getränke | Depot routing | data | Tobias | qualified | 105 | 29 | 90 |
Zirbenholz Bau | Site diary app | apps | Tobias | prospect | 64 | 13 | 115 |
Quellmoos Chemie | Safety data sheets in one place | apps | Selin | discovery | 158 | 57 | 44 | override
Tannwald Möbel | Store network refresh | cloud | Selin | qualified | 215 | 46 | 75 | late_step
Alpenhof Kliniken | Imaging archive in the cloud | cloud | Selin | proposal | 295 | 86 | 26 |
Kupferhammer Metall | Predictive maintenance pilot | data | Selin | negotiation | 148 | 104 | -3 | pushed
Gleisdreieck Mobil | Ticket shop resilience | cloud | Selin | prospect | 240 | 15 | 135 |
Wolkenstein Pharma | Trial data catalogue | data | Urs | discovery | 365 | 64 | 58 | express
Seeblick Privatbank | Client onboarding | apps | Urs | qualified | 275 | 39 | 79 | snoozed
Brennerwerk Maschinenbau | Digital twin, groundwork | data | Urs | prospect | - | 10 | 145 | unpriced
Larkspur & Finch | Loyalty data and campaigns | data | Rhys | proposal | 188 | 81 | 28 | chatty
Saltmarsh Foods | Recipe and label management | apps | Rhys | negotiation | 232 | 98 | 13 |
Kestrel Rail Works | Depot systems to the cloud | cloud | Rhys | discovery | 405 | 59 | 62 | unanswered
Dunmore Water | Leak detection analytics | data | Rhys | qualified | 172 | 35 | 93 |
Brackenridge Homes | Customer care portal | apps | Rhys | prospect | 90 | 12 | 118 |
Thornbury Health Trust | Referral workflow | apps | Imani | discovery | 268 | 53 | 48 | fresh
Quillon Mutual | Fraud signals | data | Imani | proposal | 310 | 90 | 33 | busy
Cairnfield Distilling | Cask tracking | apps | Imani | qualified | 84 | 42 | 73 |
Ballyfin Airports | Passenger data platform | data | Imani | negotiation | 525 | 112 | 19 | files
Oakhanger Schools | Single sign-on for forty schools | cloud | Imani | prospect | 130 | 16 | 128 | no_step
Merrow Shipping | Fuel and emissions reporting | data | Calum | discovery | 205 | 48 | 64 | accepted
Penhallow Quarries | Dispatch on tablets | apps | Calum | qualified | 118 | 31 | 86 | late_step
Larkspur & Finch | Peak season readiness | cloud | Calum | proposal | 156 | 76 | 20 |
Saltmarsh Foods | Network segmentation of plants | cloud | Calum | discovery | 142 | 7 | 41 | express
Kestrel Rail Works | Workshop planning | apps | Calum | prospect | 176 | 18 | 133 |
Dunmore Water | Control room disaster recovery | cloud | Nuala | negotiation | 348 | 107 | 15 | usd
Ballyfin Airports | Gate staff rostering | apps | Nuala | qualified | 196 | 45 | 84 |
""")  # fmt: skip

CLOSED_LATELY = _read("""
Tindra Telecom | Billing data clean-up | data | Alice | won | 155 | 124 | -12 | chatty
Nordanvind Power | Turbine parts portal | cloud | Alice | won | 285 | 140 | -10 | files
Nordanvind Power | Crew scheduling | cloud | Alice | won | 130 | 120 | -8 |
Hohentauern Tourism | Piste status platform | cloud | Charlie | won | 120 | 117 | -11 |
Quillon Mutual | Archive to the cloud | cloud | Imani | won | 265 | 133 | -3 |
Tindra Telecom | Field service app | cloud | Alice | won | 190 | 132 | -34 |
Nordanvind Power | Outage messages | cloud | Alice | won | 210 | 140 | -58 |
Quillon Mutual | Claims intake | apps | Imani | won | 240 | 145 | -106 |
Kaarna Paper | Energy monitoring | data | Henrik | lost | 140 | 102 | -7 |
Elbquell Getränke | Brewery line analytics | data | Urs | lost | 118 | 95 | -14 |
Grønnegade Housing | Rent ledger renewal | apps | Alice | lost | 170 | 110 | -4 |
""")  # fmt: skip
