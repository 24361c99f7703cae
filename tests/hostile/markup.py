"""Texts that would be markup, script, style or a template somewhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

MARKUP = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "</title><script>alert(3)</script>",
    "</style><style>*{display:none}</style>",
    "<img src=x onerror=alert(4)>",
    "<svg/onload=alert(5)>",
    "<svg><script>alert&lpar;6)</script>",
    "\"'><iframe srcdoc='<script>alert(7)</script>'>",
    "' autofocus onfocus=alert(8) x='",
    '<a href="javascript:alert(9)">link</a>',
    "javascript:alert(10)",
    "<base href='http://127.0.0.1:1/'>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:1/'>",
    "<form action='http://127.0.0.1:1/'><button>Send</button></form>",
    "<link rel=stylesheet href=http://127.0.0.1:1/x.css>",
    "<object data=http://127.0.0.1:1/x>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=alert(11)&gt;'>",
    "<!--",
    "<!--<script>",
    "]]>",
    "<![CDATA[<script>alert(12)</script>]]>",
    "&lt;script&gt;alert(13)&lt;/script&gt;",
    "\\u003cscript\\u003ealert(14)\\u003c/script\\u003e",
    "${alert(15)}",
    "{{constructor.constructor('alert(16)')()}}",
    "a\u2028alert(17)",
    "a\u2029alert(18)",
    "\u202e)91(trela",
    "\ufeff<script>alert(20)</script>",
    "+ADw-script+AD4-alert(21)+ADw-/script+AD4-",
    "__proto__",
    "constructor",
]


def table(texts: Sequence[str]) -> str:
    """A file with each of the texts as a station, a code, a date, a result and the header of another column."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Station_ID", "Date_Time", "PCode", "Result", *texts])
    blank = [""] * len(texts)
    for n, text in enumerate(texts):
        for day in range(1, 4):
            writer.writerow([text, f"2024-01-{day:02}", text, n + day, *(texts if n == 0 else blank)])
            writer.writerow([text, f"2024-01-{day:02}", "Level", n - day, *blank])
        writer.writerow([text, text, text, text, *blank])
    return out.getvalue()
