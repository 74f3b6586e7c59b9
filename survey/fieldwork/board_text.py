"""A message beside the questionnaire: what may be written, and what is masked before anybody reads it.

A text as it was typed enters; a clean text leaves, or a fault a person can mend. Masking
hides what points at a person by its form: telephone and identity numbers, addresses of mail
and web, WeChat names, and a surname before a title. It is a first mask only; the person who
clears a message reads on.
"""

from __future__ import annotations

import re
import unicodedata

from survey.errors import Fault
from survey.scheme.answers import is_refused_sign

MOST_SIGNS = 500
MASK = "■"
THEMES = ("收费", "招生和分班", "作业和考试", "安全和食宿", "老师和教学", "校舍和设施", "其他")

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜"
    "戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_TITLES = "老师|校长|园长|主任|书记|班主任|局长|科长|同学"
_MASKED = re.compile(
    r"(?P<link>https?://\S+|www\.\S+)"
    r"|(?P<mail>[\w.+-]+@[\w-]+\.[\w.]+)"
    r"|(?P<wechat>(?:微信|vx|VX|QQ|qq)号?[：:\s]*[A-Za-z0-9][\w-]{4,19})"
    r"|(?P<number>\d(?:[\s-]?\d){5,17}[Xx]?)"
    rf"|(?P<name>[{_SURNAMES}][\u4e00-\u9fff]{{0,2}}?)(?P<title>{_TITLES})"
)


def read_message(text: str) -> tuple[str, Fault | None]:
    """The message in NFC on one line, or the fault it has.

    >>> read_message("  食堂的饭\\n有点凉 ")
    ('食堂的饭 有点凉', None)
    """
    text = re.sub(r"\r\n|[\r\n\t]", " ", text)
    if any(is_refused_sign(sign) for sign in text):
        return text, Fault("board.control_sign", "文字里有看不见的控制字符", "请删掉后重新输入")
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        return "", Fault("board.empty", "还没有写", "写上您想说的话，再点“送出”")
    if len(text) > MOST_SIGNS:
        return text, Fault(
            "board.too_long",
            f"最多写{MOST_SIGNS}个字，现在是{len(text)}个",
            f"请删去{len(text) - MOST_SIGNS}个字",
        )
    return text, None


def masked(text: str) -> str:
    """The text with whatever points at a person by its form hidden.

    >>> masked("王小明老师收了300元，电话138 0013 8000，微信：abc_12345")
    '■老师收了300元，电话■，■'
    """
    return _MASKED.sub(lambda match: MASK + (match["title"] or ""), text)
