"""What a flag is: one indicator over its limit in one domain, never about a person.

The fifteen indicators of TRUST section 15 with their names, how often an honest domain meets
each limit, what each cannot show, and how each enters: an alarm before opening may void a whole domain, everything
else only stands beside the figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FEWEST = 10
"""Nothing is shown of a domain with fewer counted answers."""

NAMES = {
    "I1": "声明“没填过”的份数",
    "I2": "留在上级的填写码被用了",
    "I3": "事先混入的核对答卷",
    "I4": "网上比回访高",
    "I5": "有人告诉怎么选",
    "I6": "同一网络地址填得多",
    "I7": "几分钟内集中填",
    "I8": "填得太快",
    "I9": "近乎相同的答卷",
    "I10": "全部选最好",
    "I11": "几乎全填且集中在一天",
    "I12": "一类人比另一类人高得多",
    "I13": "正反两题都选极端",
    "I14": "相同的文字",
    "I15": "上课时间填的多",
}
HONEST = {
    "I1": "几乎不会",
    "I2": "不会",
    "I3": "不会",
    "I4": "5%",
    "I5": "不到2.5%",
    "I6": "常有：学校和运营商共用地址",
    "I7": "常有：班级群里发通知后集中填",
    "I8": "约1%",
    "I9": "不到0.5%（单看一校1%到3%）",
    "I10": "约1%",
    "I11": "小学校常有",
    "I12": "不到0.5%（单看一校5%）",
    "I13": "约1%",
    "I14": "很少",
    "I15": "约1%",
}
"""How often an honest domain is over the limit; simulated figures in `benchmarks/indicator_rates.md`."""

BLIND = {
    "I1": "没有发现自己被冒用、没来声明的人",
    "I2": "没有碰到留置填写码的少量代填",
    "I3": "没有碰到核对答卷的少量删改",
    "I4": "网上填的和接电话的都被打过招呼",
    "I5": "被告诉了、自己不说的人",
    "I6": "换着网络和手机填的人；同一地址也可能只是同一间办公室",
    "I7": "分开时间填的代填",
    "I8": "慢慢填的代填",
    "I9": "每份都改得不一样的代填",
    "I10": "不全选最好的代填",
    "I11": "分几天组织的填写；小学校自愿填也会这样",
    "I12": "几类人一起被打过招呼",
    "I13": "读了题再填的代填",
    "I14": "每份写不同的话的代填",
    "I15": "放学以后组织的填写",
}
"""What an indicator cannot show: whom it passes over, or whom it names though nothing is wrong."""


@dataclass(frozen=True)
class Flag:
    """One indicator over its limit in one domain."""

    indicator: str
    domain: str
    """The domain, or the group where an indicator looks at a whole group."""
    value: str
    limit: str
    text: str
    enters: str = "flag"
    """`alarm` before opening; `blocks_audited`; `beside` the figure; otherwise `flag`: listed, never excluding."""

    def document(self) -> dict[str, Any]:
        """The flag as canonical JSON."""
        return {
            "indicator": self.indicator,
            "name": NAMES[self.indicator],
            "domain": self.domain,
            "value": self.value,
            "limit": self.limit,
            "text": self.text,
            "enters": self.enters,
            "honest": HONEST[self.indicator],
        }
