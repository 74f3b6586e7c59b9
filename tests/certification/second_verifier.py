"""A second verifier of certificates and bundles, written apart from the first.

It imports nothing of the product and shares no line with it: its own canonical JSON, tree,
Ed25519 and arithmetic, after TRUST and the docstrings of `survey/certification`. What it
returns is a list of complaints; an empty list means that everything holds. Where the two
verifiers disagree, one of them is wrong.
"""

import base64
import hashlib
import io
import itertools
import json
import zipfile
from collections import Counter
from fractions import Fraction
from functools import lru_cache

MODES = {"slip": "A", "quota": "B", "open": "C"}
TABLE_KEYS = {
    "stratified-mean/v1": {"domain", "n", "x"},
    "weighted-ratio/v1": {"domain", "group", "n", "v", "w", "x"},
    "weighted-parts/v1": {"domain", "group", "n", "parts", "w"},
    "full-body/v1": {"domain", "group", "n", "x"},
}
FILES = {
    *("closing.json", "closing.note", "heads.txt", "instrument.json", "leaves.jsonl", "opening.json"),
    *("opening.note", "plan.json", "plan.note", "registry.json", "slip_key", "slips.jsonl"),
    *("statement.json", "statement.note", "table.json"),
}


class Wrong(Exception):
    """Something does not hold."""


def need(condition, what):
    if not condition:
        raise Wrong(what)


def sha(data):
    return hashlib.sha256(data).digest()


# ── canonical JSON ───────────────────────────────────────────────────────────────────────


def jcs(value):
    """RFC 8785 by way of json.dumps, with keys put in UTF-16 order first."""

    def ordered(part, depth):
        need(depth <= 16, "too deep")
        if isinstance(part, dict):
            keys = sorted(part, key=lambda key: key.encode("utf-16-be"))
            return {key: ordered(part[key], depth + 1) for key in keys}
        if isinstance(part, list):
            return [ordered(element, depth + 1) for element in part]
        need(not isinstance(part, float), "float")
        need(not isinstance(part, int) or abs(part) < 2**53, "integer too large")
        return part

    return json.dumps(ordered(value, 0), ensure_ascii=False, separators=(",", ":")).encode()


def read(data, what):
    try:
        value = json.loads(data.decode("utf-8"))
        need(jcs(value) == data, f"{what}: not canonical")
    except (ValueError, RecursionError) as error:
        raise Wrong(f"{what}: unreadable") from error
    return value


# ── Ed25519, affine and slow ─────────────────────────────────────────────────────────────

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def plus(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    return (f - e) * (h - g) % P, (h + g) * (f + e) % P, (h - g) * (h + g) % P, (f - e) * (f + e) % P


def times(n, point):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = plus(total, point)
        point, n = plus(point, point), n >> 1
    return total


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


@lru_cache(maxsize=256)
def decompress(raw):
    number = int.from_bytes(raw, "little")
    y, sign = number % 2**255, number >> 255
    need(len(raw) == 32 and y < P, "point not canonical")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need((x * x - square) % P == 0 and not (x == 0 and sign), "not a point")
    x = P - x if x % 2 != sign else x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


@lru_cache(maxsize=4096)
def signed(public, message, signature):
    s = int.from_bytes(signature[32:], "little")
    need(len(signature) == 64 and s < Q, "s out of range")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    left = times(s, BASE)
    right = plus(decompress(signature[:32]), times(k, decompress(public)))
    need(same(left, right), "signature does not hold")
    return True


# ── notes and trees ──────────────────────────────────────────────────────────────────────


def b64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Wrong("base64") from error
    need(base64.b64encode(raw).decode() == text, "base64 not canonical")
    return raw


def vkey(text):
    name, key_id, rest = text.split("+", 2)
    raw = b64(rest)
    need(len(raw) == 33 and raw[0] == 1 and name, "not an Ed25519 key")
    need(sha(name.encode() + b"\n" + raw)[:4].hex() == key_id, "key id")
    need(times(8, decompress(raw[1:]))[0] % P, "small order")
    return name, key_id, raw[1:]


def note(text, keys, required):
    """The text of a note whose lines are by `keys` only, in their order, `required` among them."""
    head, gap, block = text.rpartition("\n\n")
    need(gap and block.endswith("\n") and not any(c < " " and c != "\n" for c in head), "note malformed")
    found = []
    for line in block[:-1].split("\n"):
        dash, name, data = line.split(" ")
        raw = b64(data)
        key = next((key for key in keys if key[0] == name and key[1] == raw[:4].hex()), None)
        need(dash == "—" and key is not None, f"stranger {name}")
        signed(key[2], (head + "\n").encode(), raw[4:])
        found.append(key)
    need(found == [key for key in keys if key in found] and set(required) <= set(found), "signers")
    return head + "\n"


def root(hashes):
    """The tree hash, straight from the definition, without recursion on copies."""
    level = []
    for size, hashed in enumerate(hashes, 1):
        level.append(hashed)
        while size % 2 == 0:
            right, left = level.pop(), level.pop()
            level.append(sha(b"\1" + left + right))
            size //= 2
    while len(level) > 1:
        right, left = level.pop(), level.pop()
        level.append(sha(b"\1" + left + right))
    return level[0] if level else sha(b"")


def from_proof(hashed, index, size, proof):
    """The root that an inclusion proof leads to, by RFC 6962's recursive definition."""
    if size == 1:
        need(not proof, "proof too long")
        return hashed
    need(proof, "proof too short")
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return sha(b"\1" + from_proof(hashed, index, half, proof[:-1]) + proof[-1])
    return sha(b"\1" + proof[-1] + from_proof(hashed, index - half, size - half, proof[:-1]))


def checkpoint(text):
    origin, size, encoded, rest = text.split("\n")
    need(rest == "" and str(int(size)) == size and int(size) >= 0 and len(b64(encoded)) == 32, "checkpoint")
    return origin, int(size), b64(encoded)


# ── the claims ───────────────────────────────────────────────────────────────────────────


def check_papers(plan, plan_note, statement, statement_note, table, closing_note):
    """Everything that certificate and bundle share; the keys, the members and the figure come back."""
    need(plan["type"] == "survey/plan/v1" and statement["type"] == "survey/statement/v1", "types")
    keys = [vkey(text) for text in plan["keys"]]
    origin, people = keys[0][0], keys[1:]
    need(origin.endswith("/" + plan["wave"]) and len({k[2] for k in keys}) == len(keys) >= 3, "keys")
    need(len({k[0] for k in keys}) == len(keys), "names")

    def two(text, kind, digest):
        wanted = f"{origin}/{kind}\nsha256:{digest}\n"
        need(note(text, people, people[:2]) == wanted, f"{kind} note is over something else")

    plan_digest, statement_digest = sha(jcs(plan)).hex(), sha(jcs(statement)).hex()
    two(plan_note, "plan", plan_digest)
    two(statement_note, "statement", statement_digest)
    head = checkpoint(note(closing_note, keys, keys[:3]))
    need(head[0] == origin, "closing of another log")
    need(statement["intake"] == {"root": head[2].hex(), "size": head[1]}, "intake")
    need(statement["wave"] == plan["wave"] and statement["plan_digest"] == plan_digest, "another plan")
    need(statement["threshold"] == plan["threshold"], "threshold")
    need(statement["table_digest"] == sha(jcs(table)).hex(), "table digest")

    domains = {entry["domain"]: entry for entry in plan["domains"]}
    need(len(domains) == len(plan["domains"]), "domain twice")
    names = [row["domain"] for row in table]
    need(names == sorted(set(names)) and names, "table order")
    members = {}
    for row in table:
        need(set(row) == TABLE_KEYS[plan["estimator"]], "table keys")
        for part in row["parts"].values() if "parts" in row else [row]:
            need(0 <= Fraction(part["x"]) <= part.get("v", row["n"]) <= row["n"], "counts")
            need("parts" not in row or (set(part) == {"v", "x"} and isinstance(part["x"], str)), "part keys")
        members[row["domain"]] = statement.get("pooled", {}).get(row["domain"], [row["domain"]])
    inside = [domain for part in members.values() for domain in part]
    need(len(set(inside)) == len(inside) and set(inside) <= set(domains), "members")
    need(
        all(d in inside for d, e in domains.items() if e["eligible"] and e["mode"] != "open"),
        "missing domain",
    )

    excluded = [(entry["index"], entry["reason"]) for entry in statement["excluded"]]
    need(excluded == sorted(set(excluded)) and len(dict(excluded)) == len(excluded), "excluded order")
    need(all(0 <= i < head[1] and r in plan["exclusions"] for i, r in excluded), "excluded")
    canaries = plan.get("canaries", {"count": head[1]})["count"]
    need(sum(reason == "X1" for _, reason in excluded) <= canaries, "too many canaries")
    counted, left = sum(row["n"] for row in table), head[1] - len(excluded)
    need(counted == left if set(inside) == set(domains) else counted <= left, "counted")

    figure = compute(plan, table, members, domains)
    stated = statement["figure"]
    cut = figure.numerator * 10**4 // figure.denominator
    need(stated["shown"] == f"{cut // 10**4}.{cut % 10**4:04d}", "shown")
    need(stated["numerator"] == str(figure.numerator), "numerator")
    need(stated["denominator"] == str(figure.denominator) and len(stated) == 3, "denominator")
    classes = {MODES[domains[domain]["mode"]] for domain in inside}
    held = [figure]
    if plan["decision"].startswith("every-group"):
        groups = [group for group, share in plan["group_shares"].items() if Fraction(share)]
        held = [
            compute(
                {**plan, "group_shares": {group: "1"}},
                [r for r in table if r["group"] == group],
                members,
                domains,
            )
            for group in groups
        ]
    verdicts = [verdict(plan, statement, one, classes) for one in held]
    need(statement["reached"] is (None if None in verdicts else all(verdicts)), "reached")
    check_sentences(plan, statement, domains)
    return keys, two, head, members, statement_digest


def compute(plan, table, members, domains):
    if plan["estimator"] == "stratified-mean/v1":
        total = figure = Fraction(0)
        for row in table:
            eligible = sum(domains[domain]["eligible"] for domain in members[row["domain"]])
            total, figure = total + eligible, figure + Fraction(eligible * row["x"], row["n"])
        return figure / total
    shares = {group: Fraction(text) for group, text in plan["group_shares"].items()}
    need(sum(shares.values()) == 1 and {row["group"] for row in table} <= set(shares), "shares")
    figure = Fraction(0)
    for group, share in shares.items():
        rows = [row for row in table if row["group"] == group]
        if share and plan["estimator"] == "full-body/v1":
            everybody = [domains[domain]["eligible"] for row in rows for domain in members[row["domain"]]]
            for row in rows:
                body = sum(domains[domain]["eligible"] for domain in members[row["domain"]])
                need(row["n"] <= body, "more answers than people")
            figure += share * Fraction(sum(row["x"] for row in rows), sum(everybody))
        elif share:
            need(all(Fraction(row["w"]) > 0 for row in rows), "weights")
            figure += share * ratio_of_parts(plan, group, rows)
    return figure


def ratio_of_parts(plan, group, rows):
    """The ratio of one group; of several parts the mean, parts without a valid opinion left out."""
    if plan["estimator"] == "weighted-ratio/v1":
        parts, shares = [{"": row} for row in rows], {"": Fraction(1)}
    else:
        parts = [row["parts"] for row in rows]
        shares = {name: Fraction(text) for name, text in plan["part_shares"][group].items()}
        need(sum(shares.values()) == 1 and all(set(some) <= set(shares) for some in parts), "part shares")
    top = carried = Fraction(0)
    for name, share in shares.items():
        weighed = [(Fraction(row["w"]), some[name]) for row, some in zip(rows, parts) if name in some]
        valid = sum(w * part["v"] for w, part in weighed)
        if valid:
            top += share * sum(w * Fraction(part["x"]) for w, part in weighed) / valid
            carried += share
    return top / carried


def verdict(plan, statement, figure, classes):
    allowed = plan.get("pass_with_class_b") and statement.get("callbacks", 0) >= 200
    if plan["threshold"] is None or "C" in classes or ("B" in classes and not allowed):
        return None
    line = Fraction(plan["threshold"])
    return figure > line if plan["decision"].endswith("-above-threshold") else figure >= line


def check_sentences(plan, statement, domains):
    if "sentences" not in statement:
        return
    said = {entry["code"] for entry in statement["sentences"]}
    modes = {entry["mode"] for entry in domains.values() if entry["eligible"]}
    between = False
    if statement.get("interval") and plan["threshold"] is not None:
        low, high = (Fraction(statement["interval"][end]) for end in ("lower", "upper"))
        between = low < Fraction(plan["threshold"]) <= high
    for code, holds in (
        ("S1", plan["box_key"] is None),
        ("S2", "quota" in modes),
        ("S3", "open" in modes),
        ("S4", plan.get("demonstration") is True),
        ("S5", statement.get("level") == "public"),
        ("S6", between),
        ("S7", any(entry["reason"] == "X2" for entry in statement["excluded"])),
    ):
        need(not holds or code in said, f"sentence {code}")


def check_certificate(data):
    parts = read(data, "certificate")
    wanted = ["closing_note", "plan", "plan_note", "registry", "statement", "statement_note", "table", "type"]
    need(sorted(parts) == wanted and parts["type"] == "survey/certificate/v1", "keys of the file")
    papers = ("plan", "plan_note", "statement", "statement_note", "table", "closing_note")
    *_, digest = check_papers(*(parts[name] for name in papers))
    need(("registry_key" in parts["plan"]) == (parts["registry"] is not None), "registry")
    if parts["registry"] is not None:
        need(sorted(parts["registry"]) == ["head", "index", "proof"], "registry keys")
        key = vkey(parts["plan"]["registry_key"])
        origin, size, wanted_root = checkpoint(note(parts["registry"]["head"], [key], [key]))
        leaf = jcs({"digest": digest, "type": "survey/statement/v1", "v": 1})
        index, proof = parts["registry"]["index"], [bytes.fromhex(h) for h in parts["registry"]["proof"]]
        need([h.hex() for h in proof] == parts["registry"]["proof"], "hex")
        need(origin == key[0] and 0 <= index < size, "registry index")
        need(from_proof(sha(b"\0" + leaf), index, size, proof) == wanted_root, "registry proof")


def check_bundle(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        need(all(i.compress_type == 0 and i.date_time[0] == 1980 for i in archive.infolist()), "zip form")
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    need(all(name in files for name in FILES), "files missing")
    doc = {name: read(raw, name) for name, raw in files.items() if name.endswith(".json")}
    text = {name: raw.decode() for name, raw in files.items() if name.endswith(".note")}
    plan, statement = doc["plan.json"], doc["statement.json"]
    keys, two, head, members, digest = check_papers(
        *(plan, text["plan.note"], statement, text["statement.note"], doc["table.json"], text["closing.note"])
    )
    need(sha(files["instrument.json"]).hex() == plan["instrument_digest"], "instrument")
    need(sha(bytes.fromhex(files["slip_key"].decode().strip())).hex() == plan["slip_key_digest"], "slip key")
    need(files["slip_key"] == files["slip_key"].strip().lower() + b"\n", "slip key form")

    slips = [read(line, "slip") for line in files["slips.jsonl"].split(b"\n")[:-1]]
    need(files["slips.jsonl"] == b"".join(jcs(slip) + b"\n" for slip in slips), "slips form")
    digests = [slip["e"] for slip in slips]
    need(digests == sorted(set(digests)), "slips order")
    hashes = [sha(b"\0" + jcs({"domain": s["domain"], "e": s["e"], "v": 1})) for s in slips]
    need(root(hashes).hex() == plan["slips_root"], "slips root")
    leaves = files["leaves.jsonl"].split(b"\n")
    need(leaves.pop() == b"", "leaves form")
    values = [read(line, "leaf") for line in leaves]
    need(all(sorted(v) == ["c", "domain", "k", "v"] and v["v"] == 1 for v in values), "leaf keys")
    need(len({value["k"] for value in values}) == len(values), "k twice")
    need(root([sha(b"\0" + leaf) for leaf in leaves]) == head[2] and len(leaves) == head[1], "leaves root")
    issued, arrived = Counter(s["domain"] for s in slips), Counter(v["domain"] for v in values)
    used = Counter(s["domain"] for s in slips if s["state"] in ("used", "disputed"))
    need(all(s["state"] in ("unused", "used", "disputed", "voided") for s in slips), "state")
    for entry in plan["domains"]:
        if entry["mode"] == "slip":
            name = entry["domain"]
            need(issued[name] == entry["slips"] and used[name] == arrived[name], f"slips of {name}")

    blocks = files["heads.txt"].decode().split("\n\n")
    last = 0
    for at in range(0, len(blocks), 2):
        origin, size, claimed = checkpoint(blocks[at] + "\n")
        line = blocks[at + 1] + ("\n" if at + 2 < len(blocks) else "")
        note(blocks[at] + "\n\n" + line, keys[:1], keys[:1])
        need(origin == keys[0][0] and size > last, "head order")
        need(root([sha(b"\0" + leaf) for leaf in leaves[:size]]) == claimed, f"head {size}")
        last = size
    need(last == head[1], "last head")

    closing, opening = doc["closing.json"], doc["opening.json"]
    need(closing["slips_digest"] == sha(files["slips.jsonl"]).hex(), "slips digest")
    need(closing["heads_digest"] == sha(files["heads.txt"]).hex(), "heads digest")
    need(opening["closing_digest"] == sha(jcs(closing)).hex(), "closing digest")
    two(text["opening.note"], "opening", sha(jcs(opening)).hex())
    need(statement.get("callbacks", 0) == opening.get("callbacks", 0), "call-backs after opening")
    voids = [name for name in ("void.json", "void-2.json", "void-3.json") if name in files]
    need(opening["voids"] == [sha(files[name]).hex() for name in voids], "voids")
    for name in voids:
        two(text[name.replace("json", "note")], "void", sha(files[name]).hex())
    voided = {domain for name in voids for domain in doc[name]["domains"]}
    excluded = {entry["index"]: entry["reason"] for entry in statement["excluded"]}
    for index, value in enumerate(values):
        need((value["domain"] in voided) == (excluded.get(index) == "X2"), "X2")
    counted = Counter(v["domain"] for i, v in enumerate(values) if i not in excluded)
    for row in doc["table.json"]:
        need(row["n"] == sum(counted[domain] for domain in members[row["domain"]]), "n of a row")

    check_counts(plan, statement, slips, values, excluded)

    registry, key = doc["registry.json"], vkey(plan["registry_key"])
    _, size, wanted_root = checkpoint(note(registry["head"], [key], [key]))
    need(root([sha(b"\0" + jcs(leaf)) for leaf in registry["leaves"]]) == wanted_root, "registry root")
    need(sorted(registry) == ["head", "leaves", "type"], "registry keys")
    need(registry["type"] == "survey/registry/v1", "registry type")
    entries = [leaf["digest"] for leaf in registry["leaves"]]
    steps = [sha(files[f"{name}.json"]).hex() for name in ("plan", "closing", "opening", "statement")]
    order = [entries.index(step) for step in steps]
    need(order == sorted(order) and len(entries) == size and digest == steps[3], "registry order")
    need(all(entries.index(d) < order[2] for d in opening["voids"]), "void after opening")
    later = [name for name in ("extension.json", "extension-2.json") if name in files]
    ends = [plan.get("closes_on", "")]
    for name in later:
        keys_of = {"closes_on", "plan_digest", "type", "wave"}
        need(set(doc[name]) == keys_of and doc[name]["plan_digest"] == steps[0], "extension")
        two(text[name.replace("json", "note")], "extension", sha(files[name]).hex())
        need(order[0] < entries.index(sha(files[name]).hex()) < order[1], "extension out of order")
        ends.append(doc[name]["closes_on"])
    need(all(one < other for one, other in itertools.pairwise(ends)), "extension to an earlier day")
    papers = [*voids, *later]
    allowed = {*FILES, *papers, *(name.replace("json", "note") for name in papers), *statement["attachments"]}
    need(set(files) <= allowed, "stray file")
    for name, wanted in statement["attachments"].items():
        need(sha(files[name]).hex() == wanted, name)


def check_counts(plan, statement, slips, values, excluded):
    """What the statement says became of each domain's slips; canaries and held slips were nobody's."""
    if "counts" not in statement:
        return
    entries = {entry["domain"]: entry for entry in statement["counts"]}
    domains = {entry["domain"]: entry for entry in plan["domains"]}
    need(len(entries) == len(statement["counts"]) and set(entries) <= set(domains), "domains of counts")
    need(
        all(name in entries for name, domain in domains.items() if domain["eligible"]), "a domain not counted"
    )
    for name, said in entries.items():
        numbers = set(said) - {"domain"}
        need(
            numbers - {"spares", "telephone"}
            == {"eligible", "slips", "used", "voided", "disputed", "paper", "counted"},
            "keys of counts",
        )
        need(all(type(said[one]) is int and said[one] >= 0 for one in numbers), "counts are whole numbers")
        here = [index for index, value in enumerate(values) if value["domain"] == name]
        used = [index for index in here if excluded.get(index) != "X1"]
        need(said["eligible"] == domains[name]["eligible"], f"eligible of {name}")
        need(said["used"] == len(used) >= said["paper"] + said.get("telephone", 0), f"used of {name}")
        need(said["counted"] == len([index for index in here if index not in excluded]), f"counted of {name}")
        if domains[name]["mode"] == "slip":
            states = Counter(slip["state"] for slip in slips if slip["domain"] == name)
            given = states.total() - domains[name].get("held", 0)
            made, spares = max(given, len(used) + states["voided"]), plan.get("spares", 0)
            issued = max(made - spares * (given > spares), len(used)) if "spares" in said else made
            need(said["slips"] == issued, f"slips of {name}")
            need(said.get("spares", 0) == made - issued, f"spares of {name}")
            told = (said["voided"], said["disputed"])
            need(told == (states["voided"], states["disputed"]), f"states of {name}")
        else:
            need(said.get("spares", 0) == 0, f"spares of {name}")


def complaints(data):
    """What is wrong with a certificate or bundle; empty when nothing is."""
    try:
        (check_bundle if data[:2] == b"PK" else check_certificate)(data)
    except Wrong as error:
        return [str(error)]
    except (
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        ArithmeticError,
        zipfile.BadZipFile,
        NotImplementedError,
        OSError,
    ) as error:
        return [f"malformed: {error!r}"]
    return []
