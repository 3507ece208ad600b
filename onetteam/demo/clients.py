"""Client organisations of the demo, and the people there."""

from __future__ import annotations

import datetime as dt
import random
import unicodedata

from onetteam.demo.company import Company
from opportunities.models import Account, Contact
from opportunities.models.clients import StakeholderRole

# Name, region, country, industry.
_CLIENTS = (
    ("Brisk Harbour Logistics", "Nordics", "Norway", "Logistics"),
    ("Hallvik Timber", "Nordics", "Sweden", "Forestry"),
    ("Nordanvind Power", "Nordics", "Sweden", "Energy"),
    ("Skarvøy Seafood", "Nordics", "Norway", "Food"),
    ("Lumihiutale Retail", "Nordics", "Finland", "Retail"),
    ("Östmark Insurance", "Nordics", "Sweden", "Insurance"),
    ("Fjellbanen Rail", "Nordics", "Norway", "Transport"),
    ("Kaarna Paper", "Nordics", "Finland", "Manufacturing"),
    ("Havblik Hospitals", "Nordics", "Denmark", "Health"),
    ("Rimfrost Dairies", "Nordics", "Denmark", "Food"),
    ("Tindra Telecom", "Nordics", "Sweden", "Telecoms"),
    ("Grønnegade Housing", "Nordics", "Denmark", "Real estate"),
    ("Sundet Ferries", "Nordics", "Norway", "Transport"),
    ("Polarljus Mining", "Nordics", "Sweden", "Mining"),
    ("Alpenhof Kliniken", "DACH", "Germany", "Health"),
    ("Brennerwerk Maschinenbau", "DACH", "Germany", "Manufacturing"),
    ("Steinbach Versicherung", "DACH", "Germany", "Insurance"),
    ("Rheinufer Stadtwerke", "DACH", "Germany", "Energy"),
    ("Tannwald Möbel", "DACH", "Austria", "Retail"),
    ("Seeblick Privatbank", "DACH", "Switzerland", "Banking"),
    ("Kupferhammer Metall", "DACH", "Germany", "Manufacturing"),
    ("Wolkenstein Pharma", "DACH", "Switzerland", "Pharma"),
    ("Elbquell Getränke", "DACH", "Germany", "Food"),
    ("Gleisdreieck Mobil", "DACH", "Germany", "Transport"),
    ("Hohentauern Tourism", "DACH", "Austria", "Leisure"),
    ("Zirbenholz Bau", "DACH", "Austria", "Construction"),
    ("Quellmoos Chemie", "DACH", "Germany", "Chemicals"),
    ("Larkspur & Finch", "UK & Ireland", "United Kingdom", "Retail"),
    ("Saltmarsh Foods", "UK & Ireland", "United Kingdom", "Food"),
    ("Kestrel Rail Works", "UK & Ireland", "United Kingdom", "Transport"),
    ("Dunmore Water", "UK & Ireland", "Ireland", "Utilities"),
    ("Thornbury Health Trust", "UK & Ireland", "United Kingdom", "Health"),
    ("Quillon Mutual", "UK & Ireland", "United Kingdom", "Insurance"),
    ("Cairnfield Distilling", "UK & Ireland", "United Kingdom", "Food"),
    ("Oakhanger Schools", "UK & Ireland", "United Kingdom", "Education"),
    ("Ballyfin Airports", "UK & Ireland", "Ireland", "Transport"),
    ("Merrow Shipping", "UK & Ireland", "United Kingdom", "Logistics"),
    ("Penhallow Quarries", "UK & Ireland", "United Kingdom", "Mining"),
    ("Brackenridge Homes", "UK & Ireland", "United Kingdom", "Real estate"),
)  # fmt: skip
CURRENCIES = {"Switzerland": "CHF", "United Kingdom": "GBP", "Norway": "NOK"}
_FIRST = {
    "Nordics": "Astrid Einar Linnea Mikkel Solveig Aleksi Tuva Rasmus Ingeborg Eero",
    "DACH": "Annegret Lorenz Franziska Ruedi Katharina Bastian Heidrun Florian Ursina Veit",
    "UK & Ireland": "Gwendolyn Fergus Anjali Tamsin Ewan Orla Jasper Winifred Cormac Nadia",
}
_LAST = {
    "Nordics": "Bergslien Dahlgaard Ekholm Fossum Grahn Hovland Isaksen Kivinen Lundgaard Moe",
    "DACH": "Ammann Brückner Cerny Dornbusch Egli Fuchsberger Gschwend Hollmann Imhof Jungwirth",
    "UK & Ireland": "Ashdown Boothroyd Carrick Dempsey Eastwick Fairweather Gilfoyle Hathersage Kinsella Lockyer",
}
_PARTS = (
    (StakeholderRole.SPONSOR, ("Chief operating officer", "Managing director", "Chief financial officer")),
    (StakeholderRole.DECISION_MAKER, ("Head of IT", "Head of procurement", "Chief information officer")),
    (StakeholderRole.USER, ("Head of operations", "Plant manager", "Head of customer service")),
    (StakeholderRole.BLOCKER, ("Enterprise architect", "Head of information security", "Works council")),
)


def make(company: Company, chance: random.Random, *, now: dt.datetime) -> dict[str, Account]:
    """Add the clients, two to four people at each; by name."""
    since = now - dt.timedelta(days=480)
    accounts = {
        name: Account(
            name=name, region=company.regions[region], country=country, industry=industry, created_at=since,
            updated_at=since, created_by=company.people["Ada"], website=f"https://{_plain(name)}.example/",
        )
        for name, region, country, industry in _CLIENTS
    }  # fmt: skip
    Account.objects.bulk_create(accounts.values())
    contacts = []
    for name, region, _country, _industry in _CLIENTS:
        for part, titles in _PARTS[: chance.choice((2, 3, 3, 4))]:
            person = f"{chance.choice(_FIRST[region].split())} {chance.choice(_LAST[region].split())}"
            contacts.append(
                Contact(
                    account=accounts[name], name=person, title=chance.choice(titles), stakeholder_role=part,
                    email=f"{_plain(person)}.{part.value[:2]}@{_plain(name)}.example",
                    phone=f"+00 555 {chance.randrange(1000, 9999)}", created_at=since, updated_at=since,
                )
            )  # fmt: skip
    Contact.objects.bulk_create(contacts)
    return accounts


def region_of(client: str) -> str:
    """Where a client is."""
    return next(region for name, region, _country, _industry in _CLIENTS if name == client)


def currency_of(client: str) -> str:
    """What a client pays in, unless its deal says otherwise."""
    return next(CURRENCIES.get(country, "EUR") for name, _region, country, _industry in _CLIENTS if name == client)


def scale(currency: str) -> int:
    """Roughly how many units stand for one euro."""
    return 11 if currency in ("NOK", "SEK") else 1


def names() -> list[str]:
    """All clients."""
    return [client[0] for client in _CLIENTS]


def _plain(text: str) -> str:
    replaced = text.lower().replace("ø", "o").replace("ö", "o").replace("ß", "ss")
    ascii_only = unicodedata.normalize("NFKD", replaced).encode("ascii", "ignore").decode()
    return "".join(char if char.isalnum() else "-" for char in ascii_only).strip("-").replace("---", "-")
