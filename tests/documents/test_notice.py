"""Notices: one page each, in the fixed words."""

from __future__ import annotations

from datetime import date

from survey.documents.notice import guardian_notice, parents_group_message, supervisor_sheet


def test_guardians_learn_who_asks_what_is_kept_and_how_to_say_no(imprint, at, eyes) -> None:
    [guardian] = eyes.text_of(
        guardian_notice(imprint, grades=(4, 6), reply_by=date(2026, 11, 28), at=at)
    )
    [supervisor] = eyes.text_of(supervisor_sheet(imprint, at=at))

    for words in (
        "万安县人民政府教育督导室将请四至六年级的同学",
        "请在11月28日前告诉我们：0796-5701234",
        "不参加不会影响孩子",
    ):
        assert words in guardian, words
    assert "不由本班老师主持" in supervisor
    assert "演示数据" in guardian and "演示数据" in supervisor


def test_the_message_for_parents_groups_is_fixed(imprint) -> None:
    message = parents_group_message(imprint)

    assert "学校只负责发放，不看答案" in message and "{" not in message
