"""Names of months, in the languages in which tables come most."""

from __future__ import annotations

# A language each, a word a month, its other names behind a bar. No word is that of two months.
_LANGUAGES = (
    ("january|jan february|feb march|mar april|apr may june|jun july|jul august|aug september|sep|sept october|oct "
     "november|nov december|dec"),
    ("januar|jänner|jän februar|feber märz|mär|maerz|mrz april mai juni juli august september oktober|okt november "
     "dezember|dez"),
    ("janvier|janv février|fevrier|févr|fév|fev mars avril|avr mai juin juillet|juil août|aout septembre octobre "
     "novembre décembre|decembre|déc"),
    ("enero|ene febrero marzo abril|abr mayo junio julio agosto|ago septiembre|setiembre octubre noviembre "
     "diciembre|dic"),
    ("gennaio|gen febbraio|febbr marzo aprile maggio|mag giugno|giu luglio|lug agosto settembre|sett|set "
     "ottobre|ott novembre dicembre"),
    "janeiro fevereiro março|marco abril maio junho julho agosto setembro outubro|out novembro dezembro",
    "januari februari maart|mrt april mei juni juli augustus september oktober november december",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "januar februar marts april maj juni juli august september oktober november december|des",
    "januar februar mars april mai juni juli august september oktober november desember",
    ("tammikuu|tammikuuta|tammi helmikuu|helmikuuta|helmi maaliskuu|maaliskuuta|maalis huhtikuu|huhtikuuta|huhti "
     "toukokuu|toukokuuta|touko kesäkuu|kesäkuuta|kesä heinäkuu|heinäkuuta|heinä elokuu|elokuuta|elo "
     "syyskuu|syyskuuta|syys lokakuu|lokakuuta|loka marraskuu|marraskuuta|marras joulukuu|joulukuuta|joulu"),
    ("styczeń|stycznia|sty luty|lutego|lut marzec|marca kwiecień|kwietnia|kwi maj|maja czerwiec|czerwca|cze "
     "lipiec|lipca|lip sierpień|sierpnia|sie wrzesień|września|wrz październik|października|paź "
     "listopad|listopada|lis grudzień|grudnia|gru"),
    ("leden|ledna únor|února březen|března duben|dubna květen|května červen|června červenec|července srpen|srpna "
     "září říjen|října listopad|listopadu prosinec|prosince"),
    "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    "ocak şubat mart nisan may\u0131s haziran temmuz ağustos eylül ekim kas\u0131m aral\u0131k",
    ("январь|января|янв февраль|февраля|фев март|марта апрель|апреля|апр май|мая июнь|июня июль|июля "
     "август|августа|авг сентябрь|сентября|сен|сент октябрь|октября|окт ноябрь|ноября|ноя декабрь|декабря|дек"),
    ("січень|січня лютий|лютого березень|березня квітень|квітня травень|травня червень|червня липень|липня "
     "серпень|серпня вересень|вересня жовтень|жовтня листопад|листопада грудень|грудня"),
)  # fmt: skip
MONTHS: dict[str, str] = {
    name: str(number)
    for language in _LANGUAGES
    for number, names in enumerate(language.split(), start=1)
    for name in names.split("|")
}
"""The number of a month, as text, by each of its names and short forms in lower case."""
