"""An office's list of questions: read with its usual columns, or refused with every cell named."""

from __future__ import annotations

import pytest

from survey.errors import FaultsError
from survey.scheme.office_sheet import instrument_from_office_sheet, is_office_sheet

HEADER = ["题目标题", "题型", "选项内容"]
SATISFIED = "非常满意\n比较满意\n一般\n不太满意\n很不满意\n说不清，不了解"
USUAL = [
    HEADER,
    ["总体来说，您对学校满意吗？", "单选", SATISFIED],
    ["您对校车满意吗？", "评分", None],
    ["孩子怎么上学？", "多选", "步行\n公交\n校车"],
    ["学校开过家长会吗？", "判断题", "开过\n没开过"],
    ["还想说什么？", "多行输入框", None],
]


def read(rows: list[list[object]], group: str = "parent"):
    return instrument_from_office_sheet({"Sheet1": rows}, group=group, name="家长问卷")


def faults(rows: list[list[object]], group: str = "parent") -> set[tuple[str | None, int | None, str | None]]:
    with pytest.raises(FaultsError) as refusal:
        read(rows, group)
    return {(fault.sheet, fault.row, fault.column) for fault in refusal.value.faults}


def test_a_usual_list_is_read_with_its_kinds_and_options() -> None:
    instrument, notes = read(USUAL)
    satisfied, bus, ways, meeting, more = instrument.items

    assert (satisfied.scale, satisfied.role) == ("sat5", "overall")
    assert (bus.scale, bus.role) == ("sat5", "fact")
    assert "第3行没有写维度和内容领域，只列出来，不进满意度" in notes
    assert (ways.kind, [option.zh for option in ways.options]) == ("multiple", ["步行", "公交", "校车"])
    assert [(option.value, option.zh) for option in meeting.options] == [(1, "开过"), (2, "没开过")]
    assert more.kind == "text"
    assert instrument.title["zh"] == "家长问卷"


def test_other_names_a_title_row_letters_and_options_in_columns_are_understood() -> None:
    instrument, notes = read(
        [
            ["云台区家长问卷"],
            ["序号", "题干", "题目类型", "选项A", "选项B", "选项C", "是否必答", "负责人"],
            [1, "1、伙食怎么样？", "[单选题]", "A. 好", "B、不好", "C.不清楚", "是", "甲"],
        ]
    )
    [item] = instrument.items

    assert instrument.title["zh"] == "云台区家长问卷"
    assert (item.text["zh"], item.required) == ("伙食怎么样？", True)
    assert [(o.value, o.zh, o.kind) for o in item.options] == [
        (1, "好", None),
        (2, "不好", None),
        (98, "不清楚", "none"),
    ]
    assert notes == ("没有用“负责人”这一列",)


def test_a_dimension_and_areas_make_a_rating_count_and_a_wrong_one_is_named() -> None:
    header = [*HEADER, "维度", "内容领域"]
    instrument, _ = read([header, ["您对学校满意吗？", "单选", SATISFIED, "学校之间的差距", "A1"]])

    assert [(item.role, item.dimension) for item in instrument.items] == [("content", "gap")]
    assert faults([header, ["您对学校满意吗？", "单选", SATISFIED, "心情", "A1"]]) == {("Sheet1", 2, "维度")}


@pytest.mark.parametrize("joint", ["；", ";", "|", "、", "\n"])
def test_options_in_one_cell_may_be_parted_as_offices_part_them(joint: str) -> None:
    instrument, _ = read([HEADER, ["伙食？", "单选", joint.join(["A.好", "B.不好"])]])

    assert [option.zh for option in next(iter(instrument.items)).options] == ["好", "不好"]


def test_every_fault_is_named_with_sheet_row_and_column_at_once() -> None:
    assert faults(
        [
            HEADER,
            ["姓名", "单行输入框", None],
            ["推荐吗？", "NPS评分", "0-10"],
            ["喜欢哪家？", "多级联动", None],
            ["", "单选", "甲\n乙"],
            ["打几分？", "评分", None],
            ["哪一种？", "单选", "甲\n甲"],
            ["哪一种？", "单选", "甲\n其他____"],
            ["哪一种？", "单选", "甲"],
            ["哪一种？", "心情", "甲\n乙"],
        ]
    ) == {
        ("Sheet1", 2, "题目标题"),
        ("Sheet1", 3, "题型"),
        ("Sheet1", 4, "题型"),
        ("Sheet1", 5, "题目标题"),
        ("Sheet1", 6, "选项内容"),
        ("Sheet1", 7, "选项内容"),
        ("Sheet1", 8, "选项内容"),
        ("Sheet1", 9, "选项内容"),
        ("Sheet1", 10, "题型"),
    }


def test_who_is_asked_must_be_said_and_an_empty_list_is_refused() -> None:
    assert ("Sheet1", None, None) in faults(USUAL, group="")
    assert faults([HEADER]) == {("Sheet1", 2, "题目标题")}


def test_a_table_without_kinds_is_not_a_list_of_questions() -> None:
    assert not is_office_sheet({"Sheet1": [["学校", "人数"], ["甲", 3]]})
