"""Cut the two faces of the report to the characters an office writes: python -m tests.documents.make_faces.

Enter: three files of Debian packages. Leave: the faces that stand in survey/documents/faces. Both
keep the 8 105 characters of 通用规范汉字表, the signs of GB 2312 and Latin; whatever else a name
may hold, the report sets in Noto Sans SC. A cut WenKai may not bear its reserved names (LXGW,
霞鹜), so it is called Survey WenKai; Noto reserves none.

    fonts-lxgw-wenkai  LXGWWenKai-Light.ttf
    fonts-noto-cjk     NotoSerifCJK-Bold.ttc
    unicode-data       Unihan_OtherMappings.txt.bz2
"""

import bz2
import sys
from importlib.resources import files
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

FACES = Path(str(files("survey.documents"))) / "faces"
SIMPLIFIED = 2
"""Place of the Simplified Chinese font in a Noto CJK collection."""
RENAMED = {1: "Survey WenKai", 3: "Survey WenKai Light 1.250", 4: "Survey WenKai Light", 6: "SurveyWenKai-Light",
           16: "Survey WenKai", 17: "Light"}  # fmt: skip


def characters(unihan: Path) -> set[int]:
    """What is kept: the general standard characters, GB 2312 whole, Latin, and signs of print."""
    kept = {*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2040), *range(0x3000, 0x3020)}
    kept |= {*range(0x2460, 0x2474), *range(0xFF01, 0xFF5F), 0x2264, 0x2265, 0x2122, 0x20AC}
    for line in bz2.decompress(unihan.read_bytes()).decode().splitlines():
        if "\tkTGH\t" in line:
            kept.add(int(line[2:].split("\t")[0], 16))
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                kept.add(ord(bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return kept


def cut(font: TTFont, kept: set[int], target: Path) -> None:
    """Write the font with the characters kept, without hints: paper is printed at 600 dots an inch."""
    options = Options()
    options.hinting = False
    options.layout_features = ["kern", "locl", "ccmp", "mark"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 11, 13, 14, 16, 17]
    options.notdef_outline = True
    options.drop_tables += ["DSIG", "vhea", "vmtx", "VORG", "BASE"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=kept)
    subsetter.subset(font)
    font.save(target)


def main(kai: str, song: str, unihan: str) -> None:
    """Cut both."""
    kept = characters(Path(unihan))
    font = TTFont(kai)
    for record in list(font["name"].names):
        if record.nameID in RENAMED:
            record.string = RENAMED[record.nameID]
        elif record.nameID not in (0, 5, 13, 14):
            font["name"].removeNames(nameID=record.nameID)
    names = font["name"]
    names.names = [one for one in names.names if one.langID == 0x409]
    for number, words in RENAMED.items():
        names.setName(words, number, 3, 1, 0x409)
    names.setName("Light", 2, 3, 1, 0x409)
    cut(font, kept, FACES / "SurveyWenKai-Light.ttf")
    cut(TTCollection(song).fonts[SIMPLIFIED], kept, FACES / "NotoSerifCJKsc-Bold.otf")


if __name__ == "__main__":
    main(*sys.argv[1:4])
