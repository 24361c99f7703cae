"""What is personal is found, and never shown."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets.table.patterns import iban, luhn, without_secrets, words
from assay.datasets.table.personal import by_name
from tests.assay.table.profiles import Profile

# Published examples: of card schemes' test pages, and of the IBAN registry.
CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "30569309025904"]
IBANS = ["DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NO9386011117947"]


def with_check_digit(digits: str) -> str:
    return next(digits + str(last) for last in range(10) if luhn(digits + str(last)))


@pytest.mark.parametrize("card", CARDS)
def test_card_numbers_pass(card: str) -> None:
    assert luhn(card)
    assert not luhn(card[:-1] + str((int(card[-1]) + 1) % 10))


@pytest.mark.parametrize("account", IBANS)
def test_ibans_pass(account: str) -> None:
    assert iban(account)
    assert iban(" ".join(account[at : at + 4] for at in range(0, len(account), 4)))
    assert not iban(account[:-1] + str((int(account[-1]) + 1) % 10))


@given(st.text(alphabet="0123456789", min_size=12, max_size=18).filter(lambda text: len({*text}) > 1), st.data())
def test_one_wrong_digit_is_always_noticed(digits: str, data: st.DataObject) -> None:
    card = with_check_digit(digits)
    at = data.draw(st.integers(0, len(card) - 1))
    other = data.draw(st.integers(1, 9))
    wrong = card[:at] + str((int(card[at]) + other) % 10) + card[at + 1 :]
    assert not luhn(wrong)


@pytest.mark.parametrize("name", ["customerID", "Customer Id", "customer_id", "CUSTOMER-ID"])
def test_names_are_split_into_words(name: str) -> None:
    assert words(name) == ["customer", "id"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("E-Mail", "e-mail address"),
        ("customer_email", "e-mail address"),
        ("LastName", "name of a person"),
        ("Geburtsdatum", "date of birth"),
        ("product_name", None),
        ("phone_model", None),
        ("", None),
    ],
)
def test_names_of_columns_tell(name: str, kind: str | None) -> None:
    assert by_name(name) == kind


def secrets() -> dict[str, list[str]]:
    dice = random.Random(5)  # noqa: S311 - seeded, so that every run has the same rows
    many = range(40)
    return {
        "contact": [f"anna.{dice.randrange(10**6)}@mail{at}.example" for at in many],
        "pay": [with_check_digit("4" + "".join(dice.choices("0123456789", k=14))) for _ in many],
        "Mobile": [f"+49 170 {dice.randrange(10**6, 10**7)}" for _ in many],
        "surname": [f"Meier{dice.randrange(10**6)}" for _ in many],
        "born": [f"19{dice.randrange(10, 99)}-{dice.randrange(1, 13):02d}-{dice.randrange(10, 29)}" for _ in many],
        "remark": [f"wrote to ops{dice.randrange(10**6)}@firm{at}.example about it again" for at in many],
    }


def test_no_output_but_the_cleaned_table_shows_a_personal_value(profiled: Profile) -> None:
    columns = secrets() | {"date_of_birth": secrets()["born"]}
    del columns["born"]
    rows = zip(*columns.values(), strict=True)
    found = profiled(",".join(columns) + "\n" + "".join(",".join(row) + "\n" for row in rows))
    kinds = {name: {one["kind"] for one in found.column(name)["personal"]} for name in columns}
    assert kinds == {
        "contact": {"e-mail address"},
        "pay": {"card number"},
        "Mobile": {"phone number"},
        "surname": {"name of a person"},
        "remark": {"e-mail address"},
        "date_of_birth": {"date of birth"},
    }
    for name in ("profile.json", "dashboard.html"):
        text = (found.folder / name).read_text()
        for column, values in columns.items():
            parts = [value.split()[2] if column == "remark" else value for value in values]
            assert not [part for part in parts if part in text], (name, column)
    assert columns["contact"][0] in (found.folder / "cleaned.csv").read_text()


def test_numbers_by_chance_are_no_cards(profiled: Profile) -> None:
    dice = random.Random(9)  # noqa: S311 - seeded
    rows = "".join(f"{4 * 10**15 + dice.randrange(10**15)},x\n" for _ in range(300))
    assert profiled("serial,letter\n" + rows).column("serial")["personal"] == []


def test_a_flag_with_a_personal_name_is_not_personal(profiled: Profile) -> None:
    found = profiled("is_mobile,has_email,birthday\n" + "0,yes,5\n1,no,6\n0,yes,7\n")
    assert [one["personal"] for one in found.profile["columns"]] == [[], [], []]


def test_secrets_within_a_text_are_named_instead() -> None:
    text = f"pay {CARDS[0]} or {IBANS[0]}, ask a.b@c.example"
    assert without_secrets(text) == "pay [card number] or [IBAN], ask [e-mail]"
