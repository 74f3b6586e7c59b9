"""What the answering side says: the signed-off interface strings, and the pages' own.

The strings of `ui_strings.yaml` come from the scheme room; the ones below belong to pages
that have no string there. Both come in every language that is offered, and a missing one
is an error at start-up, never an empty line on a phone.
"""

from __future__ import annotations

from datetime import date

from survey.scheme import texts

LANGUAGES = ("zh", "en")
"""The languages whose strings below are complete; only signed-off ones among them are offered."""

SIZES = ("size.normal", "size.large", "size.xlarge")

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

OWN: dict[str, tuple[str, str]] = {
    "demo": ("演示数据，填了不算数", "Demonstration data: nothing counts"),
    "err.prefix": ("错误：", "Error: "),
    "err.need_one": ("请回答这一题", "Please answer this question"),
    "footer.phone": ("有问题请打", "Questions? Call "),
    "tools": ("字号和语言", "Text size and language"),
    "title.form": ("教育满意度调查", "Education satisfaction survey"),
    "entry.title": ("输入填写码", "Enter your code"),
    "entry.where": (
        "填写码印在发给您的纸条上，像这样：",
        "The code is printed on your slip and looks like this:",
    ),
    "entry.lost": (
        "纸条丢了、填不了，或纸条已经被人用过，可以向发纸条的人再要一张。",
        "If the slip is lost, does not work or was used by somebody else, ask for another one.",
    ),
    "start.org_check": ("怎样知道这是真的？", "How can I tell that this is genuine?"),
    "start.org_check_text": (
        "打开的网址应是{host}。这个页面不收钱，不问姓名、身份证和银行卡。",
        "The address should be {host}. This page never asks for money, a name, an identity or a bank number.",
    ),
    "start.draft": (
        "这部手机上有您上次没填完的回答。",
        "This phone holds answers you have not sent yet.",
    ),
    "check.answered": ("已选{n}题，共{total}题", "{n} of {total} answered"),
    "check.final_nojs": (
        "提交前可以往上翻，看一看选过的。",
        "Before you send, you can scroll up and look again.",
    ),
    "check.overall": ("总的来说", "Overall"),
    "q.part_of": ("（{part}）", " ({part})"),
    "net.failed": ("没有交上去", "Not sent"),
    "thanks.not_me": ("没填过却看到这里？", "You have not answered but see this page?"),
    "thanks.next": ("下一位：输入另一张纸条的填写码", "Next person: enter the code of another slip"),
    "thanks.why": (
        "以后想核对这份答卷是否被计入？",
        "Would you like to check later whether this was counted?",
    ),
    "thanks.what": (
        (
            "提交以后，可以留一个回执码。调查结束以后，用它能查到这份答卷有没有被收到、有没有计入。"
            "回执码里没有您的答案，结束以前谁也不能用它核对，所以它证明不了您填没填。不想留就不用打开。"
        ),
        (
            "After sending you may keep a receipt code. Once the survey has closed it tells whether this response was "
            "received and counted. It holds no answer, and nobody can check it before closing, so until then it "
            "proves nothing. If you do not want it, leave this closed."
        ),
    ),
    "thanks.code": ("回执码", "Receipt code"),
    "thanks.keep": ("长按图片可以保存。", "Press and hold the picture to keep it."),
    "thanks.text": ("存成文字", "Keep as text"),
    "thanks.qr_alt": ("回执的二维码，内容是：{link}", "QR code of the receipt, leading to: {link}"),
    "receipt.bad_title": ("这不是一个完整的回执", "This is not a complete receipt"),
    "receipt.bad": (
        "回执的地址可能没有复制完整。答卷收没收到，与这个页面无关。",
        "The address of the receipt may have been cut short. Whether a response was received does not depend on this page.",
    ),
    "check.page": ("核对回执", "Check a receipt"),
    "check.before": (
        "截止前不能核对，所以现在没有人能用它证明您填没填。",
        "Nothing can be checked before closing, so nobody can use a receipt as proof now.",
    ),
    "check.label": ("请输入16位回执码", "Enter the 16-character receipt code"),
    "check.hint": (
        "不分大小写，中间的横线可以不写",
        "Capital or small letters both work. You may leave out the dashes",
    ),
    "check.go": ("核对", "Check"),
    "check.bad": (
        "回执码是16位字母或数字，请再看一遍",
        "A receipt code has 16 letters or digits. Please look again",
    ),
    "check.recorded": ("收到：是", "Received: yes"),
    "check.not_recorded": (
        "收到：没有查到。还没有结束的调查，要等结束以后才能核对。",
        "Received: not found. A survey that is still open can only be checked after it has closed.",
    ),
    "check.counted": ("计入：是", "Counted: yes"),
    "check.not_counted": ("计入：否（{reason}）", "Counted: no ({reason})"),
    "check.surplus": ("名额满了以后交的", "sent after the quota was full"),
    "check.counted_later": (
        "计入：结果公布以后可以核对",
        "Counted: can be checked once the result is published",
    ),
    "check.not_ours": (
        "回执上的签名对不上，可能被改过。",
        "The signature on this receipt does not match. It may have been altered.",
    ),
    "dispute.title": ("这张纸条我没有填过", "I have not used this slip"),
    "dispute.text": (
        "如果打开纸条就看到“谢谢您”，但您没有填过，请在这里输入纸条上的填写码。我们会按学校和人员类别统计这样的情况。",
        (
            "If your slip leads to the thanks page although you have not answered, enter its code here. "
            "We count such reports by school and group."
        ),
    ),
    "dispute.send": ("告诉我们", "Tell us"),
    "dispute.done_title": ("知道了，谢谢您", "Noted. Thank you"),
    "dispute.done": (
        "我们会核查。想继续填写，请向发纸条的人换一张。",
        "We will look into it. To take part, ask for another slip.",
    ),
    "privacy.title": ("我们怎样保护您的信息", "How we protect your information"),
    "privacy.lead": (
        "不问姓名、电话、身份证，不用登录，不在您的手机上放跟踪标记。",
        "We ask for no name, telephone or identity number, need no sign-in and set no tracking mark on your phone.",
    ),
    "privacy.kept": (
        "保存的是：您选了什么、哪所学校和哪一类人员、哪一天交的。不保存几点几分，也不保存是哪张纸条。",
        "We keep: what you chose, the school and the group, and the day. We keep no time of day and not which slip it was.",
    ),
    "privacy.slip": (
        "纸条打乱后发放，没有登记谁拿了哪一张。填写码只用来防止一张纸条填几次。",
        "Slips are shuffled before they are handed out and nobody notes who got which. The code only stops one slip from being used twice.",
    ),
    "privacy.sealed": (
        "答卷一收到就加密。调查结束以前，包括系统管理员在内，没有人能打开；结束以后要两个人一起才能打开。",
        "Each response is sealed on arrival. Before closing nobody can open it, administrators included; after closing it takes two people.",
    ),
    "privacy.unsealed": (
        "答卷在采集期间，系统管理员可以读到。",
        "While the survey runs, system administrators can read responses.",
    ),
    "privacy.depends": (
        "答卷加密不加密，写在每次调查的计划里；不加密的，在采集期间系统管理员可以读到。",
        "Whether responses are sealed is stated in each survey's plan; unsealed ones can be read by administrators while it runs.",
    ),
    "privacy.school": (
        "学校和老师看不到任何一份答卷，也看不到谁填了、谁没填。",
        "Schools and teachers see no response, and not who has or has not answered.",
    ),
    "privacy.published": (
        "公布的只有合计数；不到10份答卷的数不单独公布。",
        "Only totals are published, and no figure that rests on fewer than 10 responses.",
    ),
    "privacy.withdraw": (
        "交上去的答卷已经分不出是谁的，所以不能再查找、修改或撤回。",
        "Once sent, a response can no longer be told apart, so it cannot be found, changed or withdrawn.",
    ),
    "privacy.details": ("更多说明", "More details"),
    "privacy.draft": (
        "没交之前，回答只存在您这部手机的浏览器里，72小时后自动删除；同学用的只保存到关掉页面为止。您也可以随时点“清除我填的内容”。",
        (
            "Until you send, answers stay only in this phone's browser and are erased after 72 hours; on pupils' devices only until "
            "the page is closed. You can erase them at any time."
        ),
    ),
    "privacy.address": (
        "网络地址只在内存里用来挡住有人乱试填写码，不写进记录。",
        "Network addresses are used in memory to stop guessing of codes, and are not written down.",
    ),
    "privacy.until": (
        "答卷保存到结果公布、质疑期满以后，到期销毁。",
        "Responses are kept until results are published and the time for objections has passed, and are then destroyed.",
    ),
    "privacy.whom": ("谁负责：{org}，电话{phone}。", "Responsible: {org}, telephone {phone}."),
    "privacy.child": (
        "未成年人的问卷不问自己和家里的情况，也没有让写字的题。",
        "Pupils' questionnaires ask nothing about themselves or their families and have nothing to write.",
    ),
    "open.title": ("您以哪一种身份填写？", "In which capacity do you answer?"),
    "open.all": (
        "这个链接谁都可以打开填写，结果不能代表全体。",
        "Anyone may open and answer through this link; its results do not represent everybody.",
    ),
    "open.school": ("请选学校", "Choose the school"),
    "open.go": ("下一步", "Continue"),
    "state.not_open_title": ("还没有开始", "Not started yet"),
    "state.paused_title": ("调查暂停了", "The survey is paused"),
    "state.closed_title": ("调查已经结束", "The survey has closed"),
    "state.results": ("结果会在{date}以后公布", "Results will be published after {date}"),
    "state.void_title": ("这张纸条不能用了", "This slip can no longer be used"),
    "state.void": ("请向发给您纸条的人换一张，或打电话问一问。", "Please ask for another slip, or call us."),
    "state.quota_title": ("名额已经填满", "We have enough answers"),
    "state.reload_title": ("请重新打开一次", "Please open the form again"),
    "state.reload": (
        "这个页面打开得太久，或者是从别处复制来的。请重新打开，再填一次。",
        "This page is out of date or was copied from elsewhere. Please open the form again and answer once more.",
    ),
    "state.reload_link": ("重新打开", "Open again"),
    "state.busy_title": ("请等一分钟再试", "Please try again in a minute"),
    "state.kept": (
        "还没有交上去。回答还在这部手机上：请等一分钟，按返回键回到问卷，再点“提交”。",
        "Not sent yet. Your answers are still on this phone: wait a minute, go back to the form and press Send again.",
    ),
    "state.too_many_title": ("请休息一会儿再试", "Please try again a little later"),
    "state.too_many_why": (
        "您手里的纸条不受影响。如果是同一所学校的人一起在试，过一会儿就好了。",
        "Your slip is not affected. If several people share this network, it will work again shortly.",
    ),
    "state.not_found_title": ("没有找到这个页面", "Page not found"),
    "state.bad_form_title": ("这份答卷没有读懂", "We could not read this form"),
    "state.bad_form": (
        "发来的内容不完整或有多余的部分。请重新打开问卷，再填一次。",
        "What was sent is incomplete or holds too much. Please open the form again and answer once more.",
    ),
    "state.incident": (
        "如果打电话来问，请报编号：{incident}",
        "If you call us, please give this number: {incident}",
    ),
    "state.error_title": ("系统出了点问题", "Something went wrong"),
    "state.to_code": ("输入填写码", "Enter a code"),
}


class Words:
    """Everything the answering side says, in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.language = next(language for language in texts.languages() if language.code == lang)
        self.html_lang = self.language.lang
        self.dir = self.language.dir
        self._ui = texts.ui(lang)
        self._column = LANGUAGES.index(lang)

    def __call__(self, key: str, **values: object) -> str:
        """One string with its place-holders filled."""
        text = OWN[key][self._column] if key in OWN else self._ui[key]
        return texts.fill(text, **values) if values else text

    @property
    def space(self) -> str:
        """What stands between two sentences."""
        return "" if self.lang == "zh" else " "

    def date(self, day: date) -> str:
        """A day as people say it, without the year.

        >>> Words("zh").date(date(2026, 12, 5)), Words("en").date(date(2026, 12, 5))
        ('12月5日', '5 December')
        """
        return f"{day.month}月{day.day}日" if self.lang == "zh" else f"{day.day} {MONTHS[day.month - 1]}"


def words(lang: str) -> Words:
    """The words of one offered language, made once."""
    found = _MADE.get(lang)
    if found is None:
        found = _MADE[lang] = Words(lang)
    return found


_MADE: dict[str, Words] = {}
