"""Kills everything at random while deals are moved, and counts what was lost or doubled.

    python -m benchmarks.faults --moves 10000 --faults 200 --seed 1
    python -m benchmarks.faults --moves 1000 --faults 30 --seed 1 --plain    (the control: must find losses)

Clients move deals through the product's own service and keep a journal of what was acknowledged. Two relays, a prefork
worker, two beats and a Redis of its own run as processes; a nemesis kills them by a seeded plan. Afterwards everything
is drained, and the database is compared with the journals.
"""
