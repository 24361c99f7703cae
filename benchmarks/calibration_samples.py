"""Realistic files with their true dataset types, for the calibration of detection.

The names are not taken from the rules: they are what exports of shops, laboratories and agencies call their columns,
and some of them no rule knows. Everything is drawn from one seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from assay.formats import Preview

Row = list[str | None]
Maker = Callable[[Random, int], str]


@dataclass(frozen=True)
class Sample:
    """The head of a file, the type that it is of (None: no table at all), and what was done to it."""

    head: Preview
    truth: str | None
    kind: str
    change: str


@dataclass(frozen=True)
class Column:
    """A column: its names, the best first, by style; and how its cells are made of the row's number."""

    own: Sequence[str]
    like: Sequence[str]
    abroad: Sequence[str]
    make: Maker
    needed: bool = False


def pick(*values: str) -> Maker:
    """Cells that recur."""
    return lambda random, _row: random.choice(values)


def day(form: str) -> Maker:
    """Dates, one a day or so, in one form for the whole column."""

    def make(random: Random, row: int) -> str:
        month, number = 1 + row // 28 % 12, 1 + row % 28
        return form.format(y=2024 + row // 336, m=month, d=number, h=random.randrange(24), n=random.randrange(60))

    return make


def number(low: float, high: float, decimals: int = 2) -> Maker:
    """Numbers."""
    return lambda random, _row: f"{random.uniform(low, high):.{decimals}f}"


def key(prefix: str, first: int = 1000) -> Maker:
    """Keys that don't recur."""
    return lambda _random, row: f"{prefix}{first + row}"


def words(*some: str) -> Maker:
    """Free text."""
    return lambda random, _row: " ".join(random.choice(some) for _ in range(random.randint(3, 9)))


ISO, GERMAN, AMERICAN = "{y}-{m:02d}-{d:02d}", "{d:02d}.{m:02d}.{y}", "{m}/{d}/{y}"
CLOCK = "{y}-{m:02d}-{d:02d} {h:02d}:{n:02d}:00"
NOTES = words("late", "checked", "again", "seen", "by", "phone", "new", "see", "file", "none")

STATIONS = (
    Column(
        ("Station_ID", "station id", "STATION_ID", "StationId"),
        ("Site", "Monitoring Station", "Location ID", "Stn No", "gauge", "sampling point"),
        ("Messstelle", "Pegel", "Point de prélèvement", "Station", "Estación", "Estação", "Stazione", "Meetpunt"),
        pick("CT", "DX-1", "Weir", "7", "North"),
        needed=True,
    ),
    Column(
        ("Date_Time", "DATE TIME", "date-time", "DateTime"),
        ("Sample Date", "Timestamp", "Collection date", "when"),
        ("Datum", "Probenahmedatum", "Date de prélèvement", "Fecha", "Data da coleta", "Data prelievo", "Tijdstip"),
        day(CLOCK),
        needed=True,
    ),
    Column(
        ("PCode", "p_code", "P CODE", "pcode"),
        ("Parameter", "Param Code", "Analyte", "substance", "variable"),
        ("Messgröße", "Stoff", "Paramètre", "Parámetro", "Parâmetro", "Parametro", "Kenngröße"),
        pick("Data 1", "Data 3", "NO3", "pH", "Temp"),
        needed=True,
    ),
    Column(
        ("Result", "RESULT", "result"),
        ("Value", "Measured value", "Reading", "conc"),
        ("Messwert", "Wert", "Valeur", "Résultat", "Valor", "Resultado", "Valore", "Waarde"),
        number(0, 30, 3),
        needed=True,
    ),
    Column(("Agency",), ("Operator",), ("Behörde", "Organisme"), pick("FIELD", "LAB")),
    Column(("Depth_M",), ("Depth",), ("Tiefe", "Profondeur"), number(0, 5, 1)),
    Column(("QCode",), ("Qualifier",), ("Kennung",), pick("<", "", "~")),
    Column(("Validated",), ("Checked",), ("Geprüft", "Validé"), pick("Y", "N")),
    Column(("Unit",), ("Units",), ("Einheit", "Unité"), pick("mg/l", "°C")),
)
ORDERS = (
    Column(
        ("order_id", "Order ID", "ORDER_NO", "transaction_id"),
        ("InvoiceNo", "Txn Ref", "Receipt number", "Order", "Sale ID"),
        (
            "Bestellnummer",
            "Auftragsnummer",
            "N° commande",
            "Número de pedido",
            "Número do pedido",
            "Numero ordine",
            "Vorgang",
        ),
        key("A-"),
    ),
    Column(
        ("order_date", "Order Date", "transaction_date"),
        ("InvoiceDate", "Date", "created_at", "Purchase timestamp", "sold on"),
        ("Bestelldatum", "Datum", "Date de commande", "Fecha de compra", "Data do pedido", "Data", "Kaufzeitpunkt"),
        day(ISO),
        needed=True,
    ),
    Column(
        ("revenue", "Revenue", "Sales"),
        ("Total", "Amount", "Line total", "Gross amount", "Net sales", "spend"),
        ("Umsatz", "Betrag", "Montant", "Importe", "Valor total", "Importo", "Bruttoerlös"),
        number(5, 500),
        needed=True,
    ),
    Column(
        ("quantity", "Quantity", "QTY"),
        ("Units sold", "Order Qty", "pieces"),
        ("Menge", "Anzahl", "Quantité", "Cantidad", "Quantidade", "Quantità"),
        number(1, 9, 0),
    ),
    Column(
        ("unit_price", "Unit Price", "UnitPrice"),
        ("Price", "Item price", "each"),
        ("Einzelpreis", "Prix unitaire", "Precio unitario", "Preço unitário", "Prezzo"),
        number(1, 99),
    ),
    Column(
        ("customer_id", "Customer ID", "CustomerID"),
        ("Client No", "Buyer", "cust_key", "Customer Name", "shopper"),
        ("Kundennummer", "ID client", "Cliente", "Código do cliente", "Codice cliente"),
        pick("C1", "C2", "C3", "C4", "C5"),
    ),
    Column(
        ("product_id", "Product ID", "SKU"),
        ("StockCode", "Item No", "ASIN"),
        ("Artikelnummer", "Référence produit", "Código de producto", "Codice articolo"),
        pick("P1", "P2", "P3"),
    ),
    Column(
        ("product_name", "Product Name", "product"),
        ("Item", "Description", "Item description"),
        ("Produkt", "Désignation", "Producto", "Produto", "Articolo"),
        pick("chair", "pen, black", "rake"),
    ),
    Column(
        ("product_category", "Product Category"),
        ("Category", "Dept"),
        ("Warengruppe", "Catégorie", "Categoria"),
        pick("Home", "Office"),
    ),
    Column(
        ("country", "Country"), ("Ship Country", "market"), ("Land", "Pays", "País"), pick("Germany", "France", "Chile")
    ),
    Column(("region", "Region"), ("Territory", "State"), ("Gebiet", "Région", "Región"), pick("North", "South")),
    Column(("currency", "Currency"), ("Currency Code", "ccy"), ("Währung", "Devise", "Moneda"), pick("EUR", "USD")),
    Column(("channel", "Channel"), ("Sales channel", "Source"), ("Kanal", "Canal"), pick("web", "shop")),
    Column(("transaction_fee",), ("Fee", "Processing fee"), ("Gebühr", "Frais"), number(0, 3)),
    Column(("fraud_flag",), ("is_fraud", "Chargeback"), ("Betrug",), pick("0", "0", "1")),
)
LOANS = (
    Column(("transaction_id",), ("Loan ID", "loan_no"), ("Vertragsnummer",), key("L")),
    Column(
        ("order_date", "transaction_date"),
        ("Loan date", "Disbursement date", "issue_d"),
        ("Datum",),
        day(ISO),
        needed=True,
    ),
    Column(
        ("loan_amount", "Loan Amount"),
        ("funded_amnt", "Principal amount", "Credit amount"),
        ("Kreditbetrag", "Montant du prêt"),
        number(1000, 90000, 0),
        needed=True,
    ),
    Column(("interest_rate", "Interest Rate"), ("APR", "int_rate"), ("Zinssatz", "Taux d'intérêt"), number(1, 19)),
    Column(("customer_id",), ("Borrower ID", "member_id"), ("Kundennummer",), key("M")),
    Column(("product_category",), ("purpose",), ("Zweck",), pick("car", "house", "debt")),
    Column(("region",), ("State",), ("Bundesland",), pick("CA", "NY")),
)

# Other tables, many of which share names with the types above: each column with what it holds.
OTHERS = {
    "bank statement": "Date=dmy, Description=notes, Amount=number, Balance=number",
    "Kontoauszug": "Buchungstag=dmy, Verwendungszweck=notes, Betrag=number, Saldo=number, Währung=EUR",
    "stock prices": "Date=iso, Open=number, High=number, Low=number, Close=number, Volume=count",
    "employees": "employee_id=key, name=notes, hire_date=iso, department=IT|HR, salary=count, country=US|DE",
    "stock list": "Date=iso, SKU=key, Product Name=notes, Warehouse=A|B, Stock on hand=count, Unit price=number",
    "stock movements": "date=iso, product_id=P1|P2, warehouse=A|B, quantity=count, reason=in|out",
    "price history": "date=iso, product_id=P1|P2, product_name=pen|rake, price=number, shop=A|B",
    "catalogue": "product_id=key, product_name=notes, category=Home|Office, price=number, weight=number",
    "web analytics": "date=iso, channel=paid|organic, country=US|DE, sessions=count, bounce_rate=number, revenue=count",
    "advertising": "Day=iso, Campaign=spring|brand, Impressions=count, Clicks=count, Cost=number, Currency=EUR",
    "expenses": "Date=mdy, Employee=Ann|Bo, Category=travel|meals, Amount=number, Currency=USD, Approved=Y|N",
    "budget": "Month=iso, Department=IT|HR, Budget=count, Forecast=count, Total=count",
    "clinic": "patient_id=key, visit_date=iso, diagnosis=J10|E11, age=count, cost=number",
    "weather, wide": "Station=KJFK|EDDB, Date=iso, Temperature=number, Rain=number, Wind=number",
    "indicators, long": "Country=Chile|Peru, Year=count, Indicator=GDP|CO2, Value=number",
    "trial": "sample=key, group=treated|control, value=number, replicate=count",
    "laboratory": "sample_id=key, date=iso, analyte=NO3|Pb, result=number, unit=mg/l",
    "species counts": "site=A|B, date=iso, species=heron|swift, count=count",
    "meters": "timestamp=clock, meter=M1|M2, reading=number, unit=kWh",
    "sensor log": "timestamp=clock, temp_c=number, humidity=count, battery=number",
    "grades": "student_id=key, course=maths|art, grade=number, date=iso",
    "flights": "flight=key, date=iso, origin=TXL|FRA, delay=count, price=number",
    "reviews": "review_date=iso, product_id=P1|P2, customer_id=key, rating=count, text=notes",
    "tickets": "ticket_id=key, created_at=clock, customer_id=key, product=app|web, status=open|closed",
    "contacts": "name=notes, email=key, phone=count, city=Ulm|Bonn, country=DE",
    "shipments": "shipment_id=key, order_id=key, ship_date=iso, carrier=DHL|UPS, weight=number",
    "payroll": "employee_id=E1|E2, payment_date=iso, gross_amount=number, net_amount=number, tax=number",
    "time sheet": "date=iso, employee=Ann|Bo, project=X|Y, hours=number",
    "letters": "a=number, b=x|y, c=notes, d=iso",
    "genes": "id=key, sequence=ACGT|GGTA, length=count, organism=E. coli|yeast",
}
# These have a column for each parameter, which is a form of that type too.
WIDE = ("weather, wide", "sensor log")
MAKERS: dict[str, Maker] = {
    "iso": day(ISO), "dmy": day(GERMAN), "mdy": day(AMERICAN), "clock": day(CLOCK), "notes": NOTES,
    "number": number(-50, 900), "count": number(1, 9e4, 0), "key": key("K"),
}  # fmt: skip
TEXTS = (
    "Tyger Tyger, burning bright,|In the forests of the night;|What immortal hand or eye,|Could frame thy symmetry?",
    "Shall I compare thee to a summer's day?|Thou art more lovely and more temperate:|Rough winds do shake the buds",
    "The sea is calm to-night.|The tide is full, the moon lies fair|Upon the straits; on the coast the light|Gleams",
    "Dear Ann,|thank you for your letter, which came on Monday.|We are well, the children too,|and hope to see you.",
    "1. Preheat the oven, grease a tin|2. Mix flour, sugar, two eggs and the butter|3. Pour, bake for an hour, cool",
)


def other_table(name: str) -> list[tuple[str, Maker]]:
    """The columns of one of the other tables."""
    pairs = (column.split("=") for column in OTHERS[name].split(", "))
    return [(column, MAKERS.get(holds) or pick(*holds.split("|"))) for column, holds in pairs]


def samples(seed: int, count: int) -> list[Sample]:
    """Draw so many samples: three in ten stations, three in ten transactions, the rest other tables and no tables."""
    random = Random(seed)  # noqa: S311  # no secret
    return [_one(random) for _ in range(count)]


def _one(random: Random) -> Sample:
    kind = random.choices(("stations", "orders", "loans", "other", "no table"), (30, 25, 5, 35, 5))[0]
    if kind == "no table":
        lines = [line.split(",") for line in random.choice(TEXTS).split("|")]
        cells: list[Row] = [[cell.strip() or None for cell in line] for line in lines]
        return Sample(Preview(tuple(cell or "" for cell in cells[0]), cells[1:]), None, kind, "as it is")
    if kind == "other":
        name = random.choice(list(OTHERS))
        truth = "station_measurements" if name in WIDE else "table"
        return _finished(
            random, other_table(name), truth, name, random.choice(("as it is", "reordered", "other columns"))
        )
    columns = {"stations": STATIONS, "orders": ORDERS, "loans": LOANS}[kind]
    truth = "station_measurements" if kind == "stations" else "transactions"
    return _changed(random, columns, truth, kind)


def _changed(random: Random, columns: Sequence[Column], truth: str, kind: str) -> Sample:
    change = random.choice((
        "as it is", "reordered", "renamed", "renamed a little", "translated", "truncated", "a needed column missing",
        "other columns", "few columns", "cells of another kind",
    ))  # fmt: skip
    taken = [
        column for column in columns if column.needed or random.random() < (0.25 if change == "few columns" else 0.7)
    ]
    if change == "a needed column missing":
        taken.remove(random.choice([column for column in taken if column.needed]))
        # Without its date, or without anything to add up, it can't be run as what it was.
        names = {column.own[0] for column in taken}
        amount = {"quantity", "unit_price"} <= names or "transaction_fee" in names
        if truth == "station_measurements" or "order_date" not in names or not amount:
            truth = "table"
    made: list[tuple[str, Maker]] = []
    style = random.randrange(20)
    for column in taken:
        name = column.own[style % len(column.own)]
        if change == "renamed" or (change == "renamed a little" and random.random() < 0.4):
            name = random.choice(column.like)
        elif change == "translated":
            name = column.abroad[style % len(column.abroad)]
        elif change == "truncated":
            name = column.own[0][: random.randint(6, 10)]
        make = NOTES if change == "cells of another kind" and column.needed and random.random() < 0.5 else column.make
        made.append((name, make))
    return _finished(random, made, truth, kind, change)


def _finished(random: Random, made: list[tuple[str, Maker]], truth: str, kind: str, change: str) -> Sample:
    if change == "other columns":
        made += [
            (f"extra {place}", random.choice((NOTES, number(0, 9), pick("x", "y"))))
            for place in range(random.randint(1, 8))
        ]
    if change != "as it is":
        random.shuffle(made)
    blank = random.choice((0.0, 0.0, 0.05, 0.3))
    rows: list[Row] = [
        [None if random.random() < blank else make(random, row) or None for _, make in made]
        for row in range(random.choice((1, 3, 10, 30, 30)))
    ]
    return Sample(Preview(tuple(name for name, _ in made), rows), truth, kind, change)
