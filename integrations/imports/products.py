"""Products: spellings joined, list prices remembered."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from integrations.imports.models import KnownProduct
from integrations.imports.setup import Setup
from integrations.imports.values import is_missing, key_of


def products_of(setup: Setup) -> dict[str, KnownProduct]:
    """The file's products by key, saved or not.

    A product is written as in the products file, else as before, else in the spelling with the most separate words.
    """
    known = {product.key: product for product in KnownProduct.objects.all()}
    for row in setup.imported.companions.get("products", ()):
        key = key_of(row["name"])[:120]
        if key:
            product = known.setdefault(key, KnownProduct(key=key))
            product.name = row["name"][:120]
            product.price = Decimal(row["price"]) if "price" in row else product.price
    spellings: dict[str, Counter[str]] = {}
    for cell, count in setup.distinct("product").items():
        key = key_of(cell)[:120]
        if key and key not in known and not is_missing(cell):
            spellings.setdefault(key, Counter())[" ".join(cell.split())[:120]] += count
    for key, counts in spellings.items():
        name = max(counts, key=lambda spelling: (len(spelling.split()), counts[spelling], spelling))
        known[key] = KnownProduct(key=key, name=name)
    return known


def save_products(products: dict[str, KnownProduct]) -> None:
    """Remember spellings and prices."""
    KnownProduct.objects.bulk_create(
        products.values(), update_conflicts=True, unique_fields=["key"], update_fields=["name", "price"]
    )
