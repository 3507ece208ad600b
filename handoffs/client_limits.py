"""How often private pages may be asked for, counted in the database's cache, which all processes share."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from dataclasses import dataclass

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.db import connection, transaction
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


def wait_for(limit: Limit, whose: str, *, counts: bool = True) -> int:
    """Seconds until another request is welcome, 0 while it is; ``counts`` says whether this is one.

    Counted in fixed windows under a lock of the database, so that processes don't count past one another.
    """
    now = int(time.time())
    window = now // limit.seconds
    name = hashlib.sha256(whose.encode()).hexdigest()[:32]
    key = f"client-pages:{limit.name}:{window}:{name}"
    if not counts:
        count = cache.get(key, 0)
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
            count = cache.get(key, 0)
            if count <= limit.most:
                cache.set(key, count + 1, limit.seconds)
    reached = count >= limit.most
    return (window + 1) * limit.seconds - now if reached else 0


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
