"""Names of columns that are all different."""

from __future__ import annotations

from collections.abc import Sequence


def unique_names(names: Sequence[str]) -> list[str]:
    """Give every column a name of its own: a blank one gets its position, and what comes again a number."""
    taken: set[str] = set()
    result = []
    for position, name in enumerate(names, start=1):
        base = name if name.strip() else f"column_{position}"
        own, number = base, 1
        while own in taken:
            number += 1
            own = f"{base}_{number}"
        taken.add(own)
        result.append(own)
    return result
