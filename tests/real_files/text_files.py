"""Delimited text as people have it."""

from __future__ import annotations

from tests.real_files.case import Case

_CITIES = [
    ("東京", "関東", 13960000),
    ("大阪", "近畿", 8838000),
    ("名古屋", "中部", 2327000),
    ("札幌", "北海道", 1973000),
]
_CHINESE = [
    ("北京", "华北", 21893000),
    ("上海", "华东", 24870000),
    ("广州", "华南", 18676000),
    ("成都", "西南", 20937000),
]
_TAIWAN = [("臺北", "北部", 2602000), ("臺中", "中部", 2820000), ("高雄", "南部", 2765000), ("臺南", "南部", 1874000)]
_KOREAN = [
    ("서울", "수도권", 9668000),
    ("부산", "영남", 3391000),
    ("대구", "영남", 2418000),
    ("인천", "수도권", 2942000),
]


def _cities(header: str, rows: list[tuple[str, str, int]]) -> str:
    return "\n".join([header, *(f"{city},{region},{people}" for city, region, people in rows)]) + "\n"


def _encoded(kind: str, filename: str, text: str, encoding: str) -> Case:
    return Case(kind, filename, text.encode(encoding), text)


_YEARS = (
    "Country,2019,2020,2021,2022\nNorway,5.35,5.38,5.39,5.46\nSweden,10.28,10.35,10.42,10.49\n"
    "Denmark,5.81,5.83,5.86,5.90\n"
)
_HOURS = (
    "Site,"
    + ",".join(str(hour) for hour in range(24))
    + "\n"
    + "".join(f"S{site}," + ",".join(str(site * (hour - 9) ** 2) for hour in range(24)) + "\n" for site in range(1, 4))
)
_MONTHS = "Product,2024-01,2024-02,2024-03\nTea,12,14,11\nCoffee,31,29,35\nCocoa,4,6,5\n"

HEADERS = [
    Case("Header of years", "years.csv", _YEARS.encode(), _YEARS, {"2019": "number", "2022": "number"}),
    Case(
        "Header of years",
        "two_labels.csv",
        b"Country,Code,2019,2020\nNorway,NOR,5,6\nSweden,SWE,10,11\nDenmark,DNK,7,8\n",
        "Country,Code,2019,2020\nNorway,NOR,5,6\nSweden,SWE,10,11\nDenmark,DNK,7,8\n",
        {"2020": "integer"},
    ),
    Case(
        "Header of years",
        "preamble.csv",
        b'"Data Source","Indicators of a bank",\n\n"Last Updated Date","2024-05-30",\n\n'
        b'"Country Name","Indicator Code","2020","2021",\n"Aruba","POP","106585","106537",\n'
        b'"Angola","POP","33428486","34503774",\n'
        b'"Albania","POP","2837849","2811666",\n',
        "Country Name,Indicator Code,2020,2021\nAruba,POP,106585,106537\n"
        "Angola,POP,33428486,34503774\nAlbania,POP,2837849,2811666\n",
        {"2020": "integer"},
    ),
    Case("Header of hours", "hours.csv", _HOURS.encode(), _HOURS, {"0": "integer", "23": "integer"}),
    Case("Header of months", "months.csv", _MONTHS.encode(), _MONTHS, {"2024-02": "integer"}),
    Case(
        "Header in two rows",
        "expenses.csv",
        b"Post,Grade,Pay,Pay\nUnique,Band,Floor (GBP),Ceiling (GBP)\n1001,SCS1,65000,69999\n"
        b"1002,SCS2,90000,94999\n1003,SCS1,70000,74999\n",
        "Post Unique,Grade Band,Pay Floor (GBP),Pay Ceiling (GBP)\n1001,SCS1,65000,69999\n"
        "1002,SCS2,90000,94999\n1003,SCS1,70000,74999\n",
    ),
    Case(
        "Rows of a definition below the header",
        "usgs.rdb",
        b"# a header of comments\n# more\nagency_cd\tsite_no\tdatetime\tvalue\n5s\t15s\t20d\t14n\n"
        b"USGS\t01646500\t2024-01-01\t3.4\n"
        b"USGS\t01646500\t2024-01-02\t3.6\nUSGS\t01646500\t2024-01-03\t3.1\n",
        "agency_cd,site_no,datetime,value\nUSGS,01646500,2024-01-01,3.4\n"
        "USGS,01646500,2024-01-02,3.6\nUSGS,01646500,2024-01-03,3.1\n",
        {"value": "number", "datetime": "date"},
    ),
]

_UMLAUTS = "Name;Ort;Betrag\nZoë Müller;Köln;12 €\nJürgen Groß;Düsseldorf;30 €\nÄnne Böhm;Würzburg;7 €\n"
ENCODINGS = [
    _encoded("Shift-JIS", "short.csv", _cities("都市,地方,人口", _CITIES), "shift_jis"),
    _encoded("Shift-JIS", "long.csv", _cities("都市,地方,人口", _CITIES * 200), "shift_jis"),
    _encoded("EUC-JP", "long.csv", _cities("都市,地方,人口", _CITIES * 200), "euc_jp"),
    _encoded("GB 18030", "short.csv", _cities("城市,地区,人口", _CHINESE), "gb18030"),
    _encoded("GB 18030", "long.csv", _cities("城市,地区,人口", _CHINESE * 200), "gb18030"),
    _encoded("Big5", "long.csv", _cities("城市,地區,人口", _TAIWAN * 200), "big5"),
    _encoded("EUC-KR", "long.csv", _cities("도시,지역,인구", _KOREAN * 200), "euc_kr"),
    Case("Windows-1252", "umlauts.csv", _UMLAUTS.encode("cp1252"), _UMLAUTS.replace(";", ",")),
    Case("UTF-16 with a byte-order mark", "umlauts.csv", _UMLAUTS.encode("utf-16"), _UMLAUTS.replace(";", ",")),
    Case(
        "Windows-1251",
        "cyrillic.csv",
        "Город;Число\nМосква;12\nКазань;34\nСамара;56\n".encode("cp1251"),
        "Город,Число\nМосква,12\nКазань,34\nСамара,56\n",
    ),
]

_GROWS = "".join(",".join(f"{column}{row}" for column in "abcdef"[: 2 + row // 3]) + "\n" for row in range(9))
_ONE_COLUMN = {
    "dates.csv": "2024-01-05\n2024-01-06\n2024-01-07\n2024-01-08\n",
    "phones.csv": "phone\n+49 30 123456\n+49 40 987654\n+49 89 555444\n",
    "links.csv": "url\nhttps://example.org/a?x=1&y=2\nhttps://example.org/b?x=2&y=3\nhttps://example.org/c?x=3&y=4\n",
    "names.csv": "name\nAda Lovelace\nGrace Hopper\nAlan Mathison Turing\n",
    "moments.csv": "taken_at\n2024-01-05 08:00:00\n2024-01-05 09:30:00\n2024-01-06 10:15:00\n",
}

ROWS = [
    Case(
        "Rows that grow wider",
        "grows.csv",
        _GROWS.encode(),
        "".join(",".join(line.split(",") + [""] * (4 - len(line.split(",")))) + "\n" for line in _GROWS.splitlines()),
    ),
    Case(
        # One row alone has rather a comma too many than a column of its own: it is named, and what it holds beyond.
        "A row with a cell too many",
        "three.csv",
        b"name,score\nann,1\nbob,2,late\ncy,3\n",
        "name,score\nann,1\nbob,2\ncy,3\n",
        facts={"unequal_rows": [{"row": 2, "reason": "too_many_fields", "surplus": ["late"]}]},
    ),
    Case(
        "Rows that grow wider",
        "words.csv",
        b"name,city\nann,rome\nbob,paris\n\ncy,bonn,late\ndee,oslo,late\ned,bern,soon\n",
        "name,city,\nann,rome,\nbob,paris,\ncy,bonn,late\ndee,oslo,late\ned,bern,soon\n",
    ),
    Case(
        "Notes below the table",
        "notes.csv",
        b"id,amount\n1,10.50\n2,11.25\n3,9.75\n4,8.00\n\nSource: the office of figures\nProvisional.\n",
        "id,amount\n1,10.50\n2,11.25\n3,9.75\n4,8.00\n",
        {"amount": "number"},
    ),
    Case(
        "A second table below the first",
        "stacked.csv",
        b"id,amount\n1,10\n2,11\n3,12\n4,13\n\nid,amount\n7,70\n8,80\n",
        "id,amount\n1,10\n2,11\n3,12\n4,13\n",
    ),
    Case(
        "A second table below the first",
        "texts.csv",
        b"Name,City\nAnn,Rome\nBob,Paris\nCy,Bonn\n\nProduct,Colour\nMug,Red\nPen,Blue\n",
        "Name,City\nAnn,Rome\nBob,Paris\nCy,Bonn\n",
        facts={"other_tables": [{"first_line": 6, "last_line": 8}]},
    ),
    Case(
        "A blank line within the rows",
        "gap.csv",
        b"Name,City\nAnn,Rome\nBob,Paris\nCy,Bonn\n\nDee,Oslo\nEd,Bern\nFlo,Riga\n",
        "Name,City\nAnn,Rome\nBob,Paris\nCy,Bonn\nDee,Oslo\nEd,Bern\nFlo,Riga\n",
    ),
    *(Case("One column of text", name, text.encode(), text) for name, text in _ONE_COLUMN.items()),
    Case("A name that looks like a pattern", "report [2024]*.csv", b"a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4\n"),
]

_GERMAN = "Ort;Betrag\nA;1.234\nB;12.500\nC;3.100\nD;.414\nE;2.750.000\nF;9.999\nG;1.111\nH;2.222\nI;3.333\nJ;4.444\n"
CELLS = [
    *(
        Case(
            "Marker for a missing value",
            f"marker_{number}.csv",
            f"station,level\na,1.5\nb,{marker}\nc,2.5\nd,3.5\ne,{marker}\nf,4.5\n".encode(),
            f"station,level\na,1.5\nb,{marker}\nc,2.5\nd,3.5\ne,{marker}\nf,4.5\n",
            {"level": "number"},
        )
        for number, marker in enumerate(["..", ":", "\\N", "-", "n/a", "n/d", "#N/A"])
    ),
    Case(
        "Dates in words",
        "german.csv",
        "Tag;Wert\n3. Januar 2024;1\n14. März 2024;2\n1. Mai 2024;3\n24. Dezember 2024;4\n".encode(),
        "Tag,Wert\n3. Januar 2024,1\n14. März 2024,2\n1. Mai 2024,3\n24. Dezember 2024,4\n",
        {"Tag": "date"},
    ),
    Case(
        "Dates in words",
        "french.csv",
        "jour;valeur\n3 janvier 2024;1\n14 février 2024;2\n1 août 2024;3\n24 décembre 2024;4\n".encode(),
        "jour,valeur\n3 janvier 2024,1\n14 février 2024,2\n1 août 2024,3\n24 décembre 2024,4\n",
        {"jour": "date"},
    ),
    Case(
        "Dates in words",
        "japanese.csv",
        "日付,値\n2024年3月1日,1\n2024年3月2日,2\n2024年12月24日,3\n".encode(),
        "日付,値\n2024年3月1日,1\n2024年3月2日,2\n2024年12月24日,3\n",
        {"日付": "date"},
    ),
    Case("German thousands", "odd_cell.csv", _GERMAN.encode(), _GERMAN.replace(";", ","), {"Betrag": "number"}),
    Case(
        "A few odd cells among numbers",
        "ice.csv",
        ("day,flow\n" + "".join(f"{day},{'Ice' if day in (7, 19) else day * 1.5}\n" for day in range(1, 60))).encode(),
        "day,flow\n" + "".join(f"{day},{'Ice' if day in (7, 19) else day * 1.5}\n" for day in range(1, 60)),
        {"flow": "number"},
    ),
    Case(
        "A delimiter lost between quoted cells",
        "lost.csv",
        b'"id","name","city"\n"1","Ann","Rome"\n"2","Bob""Paris"\n"3","Cy","Bonn"\n"4","Di","Oslo"\n',
        "id,name,city\n1,Ann,Rome\n2,Bob,Paris\n3,Cy,Bonn\n4,Di,Oslo\n",
    ),
    Case(
        "Quotes doubled between apostrophes",
        "apostrophes.csv",
        b"'id','note'\n'1','it''s fine'\n'2','no, thanks'\n'3','the boss''s desk'\n",
        "id,note\n1,it's fine\n2,\"no, thanks\"\n3,the boss's desk\n",
    ),
]

REFUSED = [
    Case(
        "No data, under the name of a table",
        "picture.csv",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 8,
        None,
    ),
    Case("No data, under the name of a table", "empty.csv", b"\r\n\r\n", None),
    Case("No data, under the name of a table", "page.csv", b"<!DOCTYPE html><html><body>Sign in</body></html>\n", None),
]

CASES = [*HEADERS, *ENCODINGS, *ROWS, *CELLS, *REFUSED]
