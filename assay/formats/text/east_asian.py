"""How likely a text is in the encodings of Chinese, Japanese and Korean, judged by which characters it would have.

Every such encoding reads most texts of the others, but as characters that hardly anybody writes. The standards part the
everyday characters from the others: JIS X 0208 (level 1), GB 2312 (level 1), Big5 (level 1), KS X 1001 (Hangul).
"""

from __future__ import annotations

import codecs
import math
from collections import Counter
from dataclasses import dataclass

ENCODINGS = ("cp932", "gb18030", "big5", "cp949", "euc_jp", "big5hkscs")
"""What is judged, as Python calls it: Shift-JIS, GB 18030, Big5, EUC-KR, EUC-JP and the Big5 of Hong Kong."""

_CHINESE = (
    "的一是在不了有和人这這中大为為上个個国國我以要他时時来來用们們生到作地于於出就分对對成会會可主发發年动動同工也能下过過子说說产產种種面而方"
    "后後多定行学學法所民得经經十三之进進着等部度家电電力里如水化高自二理起小物现現实實加量都两兩体體制机機当當使点點从從业業本去把性好应應开開它"
    "合还還因由其些然前外天政四日那社义義事平形相全表间間样樣与與关關各重新线線内內数數正心反你明看原又么利比或但质質气氣第向道命此变變条條只没沒"
    "结結解问問意建月公无無系系军軍很情者最立代想已通并提直题題党程展五果料象员員革位入常文总總次品式活设設及管特件长長求老头頭基资資边邊流路级"
    "級少图圖山统統接知较較将將组組见見计計别別她手角期根论論运運农農指几幾九区區强強放决決西被干做必战戰先回则則任取据處处理名姓编編号號码碼称稱"
    "地址市省县縣街镇鎮金额額单單价價格客户戶备備注註电话話日期时间型类類状狀态態订訂商销銷售采購购库庫存总价税稅率合计部门門职職务務性别女男年龄齡"
    "北京上海广廣州深圳台臺湾灣王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮董萧程曹袁邓鄧许許傅沈曾彭吕呂"
)
_JAPANESE = (
    "日一国人年大十二本中長出三時行見月後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞食車何南万毎白天母"
    "火右読友左休父雨会同事自社発者地業方新場員立開手力問代明動京目通言理体田主題意不作用度強公持野以思家世多正安院心界教文元重近考画海売知道集別物"
    "使品計死特私始朝運終台広住真有口少町料工建空急止送切転研足究楽起着店病質待試族銀早映親験英医仕去味写字答夜音注帰古歌買悪図週室歩風紙黒花春赤青"
    "館屋色走秋夏習駅洋旅服夕借曜飲肉貸堂鳥飯勉冬昼茶弟牛魚兄犬妹姉漢県市区村番号郵便氏姓所府丁目価格数量単位合計税込抜商顧客取引受注支払請求書残額"
    "部門課担当売上仕入在庫備考区分件処理結果状態種類性別男女齢電話阪都道神奈京福岡千葉埼玉愛知兵庫札幌仙台横浜名古屋佐藤鈴木高橋田中伊渡辺山本中村林加吉"
)
_KOREAN = (
    "이다는을의에가고하한지도로사서기어리자대인를시은그있나것해라아정일부구수들과스상만장게전제여원보주문공동성계국학선비면교산용관경조안방적소내신"
    "마치오중유실미진무물지역개모행간연업체생세화금액번호름성명주소품단가량합계날짜이메일전화고객번김이박최강윤임한오서신권황송류홍울부산대구인천광"
    "씨님할말데때우들년월일시분초위하바차타카파터드트르크프레러래려로료루류르니네너누노남북동서도시군읍면매출입점판회장영현재등록상태완취소배송결"
    "제수령길층약당피식술음출발통청표직접피형예반특별목순초종총액건축최민준석환철호영희숙자"
)
# Of a text's characters so many are of each class; each class has so many characters.
_RARE, _STRANGE = 0.02, 0.002
_ASCII = -3.5


@dataclass(frozen=True)
class Judged:
    """A text in one encoding: the logarithm of its probability, the share of everyday characters, and their number."""

    encoding: str
    likelihood: float
    everyday: float
    letters: int


def judged(sample: bytes) -> list[Judged]:
    """Judge a sample, which may end within a character, in each encoding that can read it; the likeliest first."""
    found: list[Judged] = []
    for encoding in ENCODINGS:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(sample)
        except UnicodeDecodeError:
            continue
        if encoding == "big5hkscs" and any(each.encoding == "big5" for each in found):
            continue
        found.append(_judged(text, encoding))
    return sorted(found, key=lambda each: -each.likelihood)


def _judged(text: str, encoding: str) -> Judged:
    likelihood, everyday, letters = 0.0, 0, 0
    for character, times in Counter(text).items():
        if character < "\x80":
            likelihood += times * _ASCII
            continue
        chance, is_everyday = _CHANCES[encoding](character)
        likelihood += times * math.log(chance)
        everyday += times * is_everyday
        letters += times
    return Judged(encoding, likelihood, everyday / letters if letters else 0, letters)


def _lead(character: str, encoding: str) -> int:
    """The first of the two bytes that a character has in an encoding; 0 where it has none, or not two."""
    try:
        encoded = character.encode(encoding)
    except UnicodeEncodeError:
        return 0
    return encoded[0] if len(encoded) == 2 else 0


def _japanese(character: str) -> tuple[float, bool]:
    if "\u3041" <= character <= "\u30fe":
        return 0.45 / 170, True
    if "\uff61" <= character <= "\uff9f":
        return 0.02 / 63, True
    if character in _FREQUENT_JAPANESE:
        return 0.3 / 400, True
    lead = _lead(character, "euc_jp")
    if 0xB0 <= lead <= 0xCF:
        return 0.2 / 2600, True
    # 0x87: the circled numbers and the like that Windows added.
    if 0xA1 <= lead <= 0xA8 or _lead(character, "cp932") == 0x87:
        return 0.05 / 500, True
    return (_RARE / 3390 if lead else _STRANGE / 8000), False


def _simplified(character: str) -> tuple[float, bool]:
    if character in _FREQUENT_CHINESE:
        return 0.6 / 450, True
    lead = _lead(character, "gb2312")
    if 0xB0 <= lead <= 0xD7:
        return 0.33 / 3300, True
    if lead in (0xA4, 0xA5):  # the Japanese kana
        return _STRANGE / 170, False
    if 0xA1 <= lead <= 0xA9 or character == "€":
        return 0.05 / 600, True
    return (_RARE / 3008 if lead else _STRANGE / 15000), False


def _traditional(character: str) -> tuple[float, bool]:
    if character in _FREQUENT_CHINESE:
        return 0.6 / 450, True
    lead = _lead(character, "big5")
    if 0xA4 <= lead <= 0xC6:
        return 0.33 / 4900, True
    if 0xA1 <= lead <= 0xA3:
        return 0.05 / 408, True
    return (_RARE / 7652 if lead else _STRANGE / 5000), False


def _korean(character: str) -> tuple[float, bool]:
    if character in _FREQUENT_KOREAN:
        return 0.72 / 330, True
    lead = _lead(character, "euc_kr")
    if 0xB0 <= lead <= 0xC8:
        return 0.2 / 2020, True
    if 0xA1 <= lead <= 0xAC and lead not in (0xAA, 0xAB, 0xAC):
        return 0.05 / 986, True
    return (_RARE / 2 / 4888 if lead else _STRANGE / 8822), False


_FREQUENT_CHINESE, _FREQUENT_JAPANESE, _FREQUENT_KOREAN = map(frozenset, (_CHINESE, _JAPANESE, _KOREAN))
_CHANCES = {
    "cp932": _japanese, "euc_jp": _japanese, "gb18030": _simplified, "big5": _traditional, "big5hkscs": _traditional,
    "cp949": _korean,
}  # fmt: skip
