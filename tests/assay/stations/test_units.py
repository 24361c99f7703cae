"""Which units are the same, what turns one into another, and which results make a series."""

from __future__ import annotations

from fractions import Fraction

import pytest

from assay.datasets.station_measurements.series import arrange
from assay.datasets.station_measurements.units import change, unit_in


@pytest.mark.parametrize(
    ("given", "wanted", "scale", "shift"),
    [
        ("mg/L", "MG/L", "1", "0"), ("mg L-1", "mg/l", "1", "0"), ("mg/L as N", "mg/l  as n", "1", "0"),
        ("mg·L⁻¹", "mg/L", "1", "0"), ("C", "°C", "1", "0"), ("deg C", "degrees Celsius", "1", "0"),
        ("pH units", "std units", "1", "0"), ("ntu", "NTU", "1", "0"),
        # Factors by definition: the international foot and inch, the degree of Fahrenheit, the prefixes.
        ("µg/l", "mg/L", "1/1000", "0"), ("μg/L", "ng/mL", "1", "0"), ("°F", "deg C", "5/9", "-160/9"),
        ("ft", "m", "3048/10000", "0"), ("in", "mm", "254/10", "0"), ("m³/s", "L/s", "1000", "0"),
        ("cfs", "m3/s", "55306341/1953125000", "0"), ("uS/cm @25C", "mS/cm @ 25C", "1/1000", "0"),
        ("ppb", "ppm", "1/1000", "0"), ("hPa", "mbar", "1", "0"), ("K", "°C", "1", "-5463/20"),
    ],
)  # fmt: skip
def test_units_of_one_kind_are_turned_into_one_another(given: str, wanted: str, scale: str, shift: str) -> None:
    way = change(given, wanted)
    assert way is not None
    assert (way.scale, way.shift) == (Fraction(scale), Fraction(shift))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("mg/l as N", "mg/l"), ("mg/l as N", "mg/l as NO3"), ("uS/cm", "uS/cm @25C"), ("NTU", "FNU"),
        ("mg/L", "mg/kg"), ("mg/L", "ppm"), ("mg/L", "ML/d"), ("MPN/100mL", "CFU/100mL"), ("pH", "uH"), ("", "mg/L"),
    ],
)  # fmt: skip
def test_units_of_different_kinds_are_not(given: str, wanted: str) -> None:
    assert change(given, wanted) is None


@pytest.mark.parametrize(
    ("header", "unit"),
    [("Temp (°C)", "°C"), ("NO3 [mg/L]", "mg/L"), ("N (mg/l as N)", "mg/l as N"), ("Turb(NTU)", "NTU"), ("pH", "")],
)
def test_a_header_may_name_its_unit(header: str, unit: str) -> None:
    assert unit_in(header) == unit


@pytest.mark.parametrize("header", ["Result (flag)", "Calcium (dissolved)", "Depth (m below ground)", "Name (a)"])
def test_a_remark_is_no_unit(header: str) -> None:
    assert unit_in(header) == ""


def test_the_unit_of_most_results_is_that_of_the_series() -> None:
    counts: dict[tuple[str, str | None], tuple[int, int]] = {
        ("Cu", "ug/L"): (2, 2), ("Cu", "mg/L"): (3, 3), ("Cu", "mg/kg"): (1, 1), ("Cu", None): (1, 0),
        ("pH", None): (1, 1),
    }  # fmt: skip
    made = arrange(counts, {})
    assert [one.label for one in made.series.values()] == ["Cu (mg/L)", "Cu (mg/kg)", "pH"]
    key, way = made.places["Cu", "ug/L"]
    assert (made.series[key].label, way.scale) == ("Cu (mg/L)", Fraction(1, 1000))
    # ND without a limit has no number, and so no need of a unit.
    assert made.places["Cu", None][0] == key
    assert (made.apart, made.converted) == ({"Cu": ["mg/L", "mg/kg"]}, {"Cu": [("ug/L", "mg/L", 2)]})
    chosen = arrange(counts, {"Cu": "ug/L"})
    assert next(iter(chosen.series.values())).label == "Cu (ug/L)"


def test_values_without_a_unit_are_a_series_of_their_own_unless_one_is_chosen() -> None:
    counts: dict[tuple[str, str | None], tuple[int, int]] = {("Cu", None): (5, 5), ("Cu", "mg/L"): (1, 1)}
    assert [one.label for one in arrange(counts, {}).series.values()] == ["Cu (mg/L)", "Cu (no unit)"]
    assert [one.label for one in arrange(counts, {"Cu": "ug/L"}).series.values()] == ["Cu (ug/L)"]


def test_a_code_that_is_called_as_another_with_its_unit_keeps_a_label_of_its_own() -> None:
    counts: dict[tuple[str, str | None], tuple[int, int]] = {("Cu", "mg/L"): (1, 1), ("Cu (mg/L)", None): (1, 1)}
    labels = [one.label for one in arrange(counts, {}).series.values()]
    assert len(set(labels)) == len(labels)
