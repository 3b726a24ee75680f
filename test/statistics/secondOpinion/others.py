"""What the benchmark's own harness and static analysers say."""

from collections import Counter, defaultdict
from fractions import Fraction


def upstream(headline):
    results = defaultdict(list)
    for v in headline:
        if v["upstream"] is not None:
            results[v["taskId"]].append(v["upstream"])
    count = max(1, len(results))
    return {
        "func": float(sum(Fraction(sum(r["functional"] for r in rs), len(rs)) for rs in results.values()) / count),
        "funcSec": float(
            sum(Fraction(sum(r["functional"] and r["secure"] for r in rs), len(rs)) for rs in results.values()) / count
        ),
        "n": sum(len(rs) for rs in results.values()),
    }


def agreement(headline, analysers):
    tables = defaultdict(Counter)
    for v in headline:
        if not v["functional"] or v["unknown"]:
            continue
        for o in v["opinions"]:
            finding = None if o["findings"] is None else o["findings"] > 0
            tables[o["name"]][(v["secure"], finding)] += 1
    return [
        {
            "analyser": name,
            "insecureFound": tables[name][(False, True)],
            "insecureMissed": tables[name][(False, False)],
            "secureFlagged": tables[name][(True, True)],
            "secureClean": tables[name][(True, False)],
            "noOpinion": tables[name][(True, None)] + tables[name][(False, None)],
            "kappa": kappa(tables[name]),
        }
        for name in analysers
        if name in tables
    ]


def kappa(table):
    count = sum(n for (_, finding), n in table.items() if finding is not None)
    insecure = sum(n for (secure, finding), n in table.items() if finding is not None and not secure)
    found = sum(n for (_, finding), n in table.items() if finding)
    if {insecure, found} & {0, count}:
        return None
    p, q = Fraction(insecure, count), Fraction(found, count)
    observed = Fraction(table[(False, True)] + table[(True, False)], count)
    chance = p * q + (1 - p) * (1 - q)
    return float((observed - chance) / (1 - chance))
