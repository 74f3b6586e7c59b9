"""Draw a wave's sample again from its design and its seed. Standard library only, nothing of the product.

    python replay_draw.py design.json sample.json

Follows survey/sampling/REPLAY.md line by line and was written from that text.
"""

import hashlib
import json
import sys
from fractions import Fraction


def sha(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def canonical(value):
    """RFC 8785 for documents of text, whole numbers and ASCII keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def smallest(key, head, things, n):
    return sorted(things, key=lambda thing: sha(f"{key}/{head}/{thing}"))[:n]


def share_slips(total, people):
    """Slips of drawn schools: largest remainder between a minimum of two and everybody."""
    codes = sorted(code for code, n in people.items() if n)
    least = {code: min(2, people[code]) for code in codes}
    if not total:
        return dict.fromkeys(people, 0)
    total = min(max(total, sum(least.values())), sum(people.values()))
    full = {}
    while True:
        free = [code for code in codes if code not in full]
        held = {}
        while True:
            sharing = [code for code in free if code not in held]
            rest = total - sum(full.values()) - sum(held.values())
            weight = sum(people[code] for code in sharing)
            aim = {code: Fraction(rest * people[code], weight) if weight else Fraction(0) for code in sharing}
            given = {code: int(aim[code]) for code in sharing}
            order = sorted(sharing, key=lambda code: (given[code] - aim[code], codes.index(code)))
            for code in order[: max(rest - sum(given.values()), 0)]:
                given[code] += 1
            low = [code for code in sharing if given[code] < least[code]]
            if not low:
                break
            worst = min(low, key=lambda code: (given[code] - least[code], codes.index(code)))
            held[worst] = least[worst]
        quotas = {**given, **held}
        over = {code: people[code] for code, quota in quotas.items() if quota > people[code]}
        if not over:
            return {code: full.get(code, quotas.get(code, 0)) for code in people}
        full.update(over)


def replay(design, sample):
    """What the draw gives: schools of every stratum, and slips of every domain."""
    key = sha(sha(canonical(design)) + sample["seed"])
    schools, slips = {}, {}
    eligible = {(d["school_code"], d["group"]): d["eligible"] for d in sample["domains"]}
    named = {(d["school_code"], d["group"]): d["domain"] for d in sample["domains"]}
    for stratum in design["strata"]:
        drawn = sorted(smallest(key, stratum["stratum"], stratum["schools"], stratum["drawn"]))
        schools[stratum["stratum"]] = drawn
        for group, total in stratum["slips"].items():
            people = {code: eligible.get((code, group), 0) for code in drawn}
            for code, n in share_slips(total, people).items():
                if people[code]:
                    slips[named[code, group]] = n
    return key, schools, slips


def complaints(design, sample):
    """What in the sample does not follow from the design and the seed; empty when it is the draw."""
    found = []
    if sha(canonical(design)) != sample["design_digest"]:
        found.append("the design is not the one the sample names")
    _, schools, slips = replay(design, sample)
    told = {}
    for domain in sample["domains"]:
        if domain["school_code"] is not None:
            told.setdefault(domain["stratum"], set()).add(domain["school_code"])
            if slips.get(domain["domain"]) != domain["slips"]:
                found.append(f"{domain['domain']}: {slips.get(domain['domain'])} slips, not {domain['slips']}")
    for stratum, drawn in schools.items():
        if told.get(stratum, set()) != set(drawn):
            found.append(f"{stratum}: the lot fell on {drawn}")
    return found


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as one, open(sys.argv[2], encoding="utf-8") as two:
        wrong = complaints(json.load(one), json.load(two))
    print("\n".join(wrong) or "the sample is the draw")
    sys.exit(bool(wrong))
