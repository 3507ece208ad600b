"""Reads shaped for pages: totals, columns, lists, history."""

from opportunities.queries.totals import Total, TotalKey, counted_totals, kept_totals

__all__ = ["Total", "TotalKey", "counted_totals", "kept_totals"]
