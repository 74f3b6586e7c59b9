"""What the log says in words: acts, results, and the names of their details."""

from collections.abc import Mapping

from survey.followup.ledger import SOURCES
from survey.followup.ledger import STATES as LEDGER_STATES
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.storage.states import NAMES as STATE_NAMES
from survey.web.rights import ROLES

_ACTS = {
    "ok": "完成",
    "refused": "没有成功",
    "create_wave": "新建调查",
    "import_frame": "导入名册",
    "draw_sample": "抽样",
    "redraw_reason": "说明重抽的理由",
    "sign_plan": "签署方案",
    "launch_tick": "确认发布检查的一项",
    "launch_untick": "撤回一项确认",
    "publish_wave": "发布",
    "pause_wave": "暂停",
    "resume_wave": "继续",
    "close_wave": "结束",
    "open_wave": "开箱",
    "estimate_wave": "计算",
    "certify_prepare": "经办核对并签名",
    "certify_step": "签发的一步",
    "certify_review": "复核通过",
    "certify_send_back": "退回到经办",
    "certify_wave": "签发证书",
    "pack_wave": "装建档包",
    "theme_message": "改留言的主题",
    "back_up": "备份",
    "erase_answers": "销毁答卷",
    "export_answers": "导出答卷供分析",
    "ledger_open": "登记问题",
    "ledger_start": "开始整改",
    "ledger_submit": "申请销号",
    "ledger_close": "同意销号",
    "ledger_accept_explanation": "同意作情况说明",
    "ledger_send_back": "退回整改",
    "ledger_look_again": "回头看",
    "ledger_reopen": "重新整改",
    "ledger_change": "改责任和时限",
    "print_papers": "排印",
    "download_papers": "下载打印文件",
    "download_made": "取走做好的文件",
    "stop_work": "停止正在做的事",
    "create_account": "新建账号",
    "change_account": "改账号的角色和区划",
    "deactivate_account": "停用账号",
    "activate_account": "重新启用账号",
    "place_schools": "划分责任区",
    "end_area": "撤销责任区",
    "enter_school": "进入学校页面",
    "create_signer": "新建签名密钥",
    "issue_sign_in_link": "发一次性登录链接",
    "issue_token": "发接口令牌",
    "end_token": "收回接口令牌",
    "limit_account": "改账号的区划",
    "place_division": "登记区划",
    "set_password": "设密码",
    "set_second_factor": "启用验证码",
    "end_second_factor": "停用验证码",
    "reset_second_factor": "去掉验证码",
    "sign_in_code": "输入验证码",
    "end_sessions": "结束全部登录",
    "sign_in": "登录",
    "sign_in_by_link": "用一次性链接登录",
    "sign_out": "退出",
    "sign_in_unified": "统一登录",
    "end_session": "结束一处登录",
    "name_subject": "登记统一登录的标识",
    "forget_subject": "去掉统一登录的标识",
    "register_signer": "登记别处的签名公钥",
    "settle_wave": "启动时理顺停在半路的状态",
    "ask_signature": "取签名请求",
    "two_person_act": "两人操作",
    "sign_request": "签别处送来的请求",
    "sign_design": "签署抽样设计",
    "make_canaries": "制作核查用的填写码",
    "take_held_codes": "取走留给上级的填写码",
    "extend_wave": "推迟截止",
    "void_leftovers": "作废剩下的纸条",
    "void_domains": "整组作废",
    "look_for_alarms": "查看警报",
    "revoke_statement": "撤回证书",
    "stamp_note": "加盖时间戳",
    "daily_head": "公布当天的日志头",
    "auditor_bundle": "做核查数据包",
    "invite_school": "给学校联系人发链接",
    "withdraw_school": "收回学校的链接",
    "hand_out": "登记发放",
    "take_back_hand_out": "撤回一条发放登记",
    "ask_spares": "申请备用纸条",
    "grant_spares": "同意备用纸条",
    "decline_spares": "不同意备用纸条",
    "enter_paper": "录入纸质或电话答卷",
    "draw_callbacks": "抽回访名单",
    "record_callbacks": "记录回访结果",
    "open_message": "看一条留言",
    "clear_message": "遮好一条留言，提出放行",
    "release_message": "放行一条留言",
    "withhold_message": "不公开一条留言",
    "send_back_message": "退回一条留言",
    "record_questions": "记录提问和答复",
    "import_catalogue": "导入译文",
    "sign_catalogue": "审定译文",
    "register_webhook": "登记推送",
    "change_webhook_secret": "换推送的密钥",
    "end_webhook": "停用推送",
}


def act_text(name: str) -> str:
    """What was done, in words; a name without words is shown as it is.

    >>> act_text("import_frame"), act_text("something_new")
    ('导入名册', 'something_new')
    """
    return _ACTS.get(name, name)


_DETAILS = {
    "scheme": "方案",
    "digest": "摘要",
    "schools": "学校",
    "school": "学校",
    "seed": "种子",
    "earlier_seed": "上一次的种子",
    "reason": "理由",
    "sample_digest": "样本摘要",
    "domains": "学校和人员组",
    "plan_digest": "方案摘要",
    "earlier_plan": "原方案摘要",
    "slips": "纸条",
    "responses": "答卷",
    "number": "编号",
    "source": "来源",
    "fingerprint": "指纹",
    "books": "账上",
    "intake": "答卷库",
    "why": "原因代码",
    "what": "什么",
    "act": "事项",
    "step": "步骤",
    "figure": "满意度",
    "results_digest": "结果摘要",
    "statement_digest": "结论摘要",
    "supersedes": "替代",
    "opened": "打开",
    "canaries": "核对答卷",
    "different": "不一致",
    "group": "人员",
    "class": "班级",
    "counted_by": "清点人",
    "voided": "作废",
    "by_domain": "各组",
    "divisions": "区划",
    "before": "以前",
    "after": "以后",
    "note": "说明",
    "person": "谁",
    "item": "项目",
    "items": "项目",
    "lines": "项目",
    "message": "留言号",
    "theme": "主题",
    "size": "大小",
    "name": "文件",
    "role": "角色",
    "roles": "角色",
    "scopes": "范围",
    "label": "用途",
    "prepared_by": "经办",
    "reviewed_by": "复核",
    "signed_by": "签发",
    "text_digest": "所签文字的摘要",
    "account": "账号",
    "answers": "答卷",
    "areas": "改了责任区的学校",
    "boxes": "密封件",
    "count": "录音",
    "design_digest": "设计摘要",
    "differences": "两遍不同的题",
    "earlier_frame": "原名册摘要",
    "files": "文件",
    "from": "原来",
    "honey": "留置的填写码",
    "host": "推送到",
    "language": "语言",
    "list_digest": "清单摘要",
    "missing": "还没有译的",
    "mode": "方式",
    "n": "份数",
    "parts": "内容",
    "pass": "第几遍",
    "public_draw": "公开抽取",
    "records": "答卷",
    "to": "现在",
    "under": "上级区划",
    "void_digest": "作废书摘要",
    **GROUP_NAMES,
}


def detail_text(name: str) -> str:
    """What a detail of an act is, in words; a name without words is shown as it is.

    >>> detail_text("seed"), detail_text("something_new")
    ('种子', 'something_new')
    """
    return _DETAILS.get(name, name)


CHANGES = frozenset({"change_account", "limit_account", "place_schools"})
"""Acts whose details hold what was before and what is after, side by side."""
_VALUES: dict[str, dict[str, str]] = {
    "source": SOURCES,
    "before": LEDGER_STATES,
    "after": LEDGER_STATES,
    "roles": ROLES,
    "role": {**ROLES, "public": "公开包"},
    "group": GROUP_NAMES,
    "books": STATE_NAMES,
    "intake": STATE_NAMES,
    "mode": {"paper": "纸质", "telephone": "电话"},
    "school": {"all": "全部学校"},
    "step": {"prepare": "经办", "review": "复核", "send_back": "退回", "sign": "签发"},
}


def value_text(act: str, name: str, value: object) -> str:
    """A detail's value in words: before and after where the act changes something, digests cut short.

    >>> value_text("change_account", "roles", [["operator"], ["operator", "reviewer"]])
    '经办 → 经办、复核'
    >>> value_text("ledger_open", "source", "fact"), value_text("place_schools", "2136000123", ["", "360828-01"])
    ('现场核查事实', '没有 → 360828-01')
    """
    if act in CHANGES and isinstance(value, list) and len(value) == 2:
        return " → ".join(value_text("", name, one) if one else "没有" for one in value)
    if value is None:
        return "—"
    if isinstance(value, Mapping):
        return "、".join(f"{detail_text(str(key))}：{one}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return "、".join(value_text(act, name, one) for one in value)
    return _VALUES.get(name, {}).get(str(value)) or short_text(value)


def short_text(value: object) -> str:
    """A value of a detail; of a digest the first signs, which is enough to tell two apart.

    >>> short_text("20261124"), short_text("ab" * 32)
    ('20261124', 'abab abab abab…')
    """
    text = str(value)
    is_digest = len(text) == 64 and all(sign in "0123456789abcdef" for sign in text)
    return " ".join(text[at : at + 4] for at in range(0, 12, 4)) + "…" if is_digest else text
