"""How often private pages may be asked for, counted in the database's cache, which all processes share."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import time
from dataclasses import dataclass

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.db import connection
from django.http import HttpRequest


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds."""

    name: str
    most: int
    seconds: int


# A whole office may sit behind one address, and mail scanners look at a link many times.
BY_ADDRESS = Limit("address", 240, 60)
BY_TOKEN = Limit("token", 90, 60)
WRONG_TOKENS = Limit("wrong", 20, 600)


_COUNT = """
insert into {table} (cache_key, value, expires) values (%(key)s, '1', %(until)s)
on conflict (cache_key) do update set value = ({table}.value::integer + 1)::text returning value::integer
"""
_LOOK = "select value::integer from {table} where cache_key = %(key)s"


def wait_for(limit: Limit, whose: str, *, counts: bool = True) -> int:
    """Seconds until another request is welcome, 0 while it is; ``counts`` says whether this is one.

    Counted in fixed windows, one statement each, so that processes don't count past one another as they would with the
    cache's own reading and writing. Old windows go when the cache makes room.
    """
    now = int(time.time())
    window = now // limit.seconds
    until = (window + 1) * limit.seconds
    name = hashlib.sha256(whose.encode()).hexdigest()[:32]
    given: dict[str, str | dt.datetime] = {
        "key": f":client-pages:{limit.name}:{window}:{name}",
        "until": dt.datetime.fromtimestamp(until, dt.UTC),
    }
    table = connection.ops.quote_name(str(settings.CACHES["default"]["LOCATION"]))
    with connection.cursor() as cursor:
        cursor.execute((_COUNT if counts else _LOOK).format(table=table), given)
        row = cursor.fetchone()
    count = row[0] if row else 0
    return until - now if count + (not counts) > limit.most else 0


def address_of(request: HttpRequest) -> str:
    """Where a request comes from; of an IPv6 address the network, as its rest is the visitor's to choose.

    X-Forwarded-For counts as far as ONETEAM_PROXIES says.
    """
    given = get_adapter().get_client_ip(request)
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return str(given)
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if address.version == 6 else str(address)
