"""Tasks with their samples, and sums of them by scenario."""

import math
from collections import defaultdict
from fractions import Fraction


def pass_at_k(n, c, k):
    return 1 - Fraction(math.comb(n - c, k), math.comb(n, k))


class Task:
    """One task's samples under one prompt variant."""

    def __init__(self, row, samples, verdicts):
        self.row, self.samples, self.verdicts = row, samples, verdicts
        known = [v for v in verdicts if not v["unknown"]]
        self.counts = {
            "func": sum(v["functional"] for v in known),
            "secure": sum(v["secure"] for v in known),
            "funcSec": sum(v["functional"] and v["secure"] for v in known),
            "insecure": sum(v["functional"] and not v["secure"] for v in known),
            "unknown": sum(v["unknown"] for v in verdicts),
        }
        self.counts["bestCaseFuncSec"] = self.counts["funcSec"] + self.counts["unknown"]
        self.cwes = {cwe for cwe in [row["cwe"], *row["cwes"]] if cwe is not None}

    def value(self, metric, k):
        return pass_at_k(self.samples, self.counts[metric], k)


def by_scenario(tasks, numerator, denominator):
    sums = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for task in tasks:
        pair = sums[task.row["scenario"]]
        pair[0] += numerator(task)
        pair[1] += denominator(task)
    return list(sums.values())


def one(_):
    return Fraction(1)


def split_by_training(tasks, seen_cwes):
    """Tasks with a weakness that was trained on, and those with weaknesses none of which was."""
    about = [task for task in tasks if task.cwes]
    seen = set(seen_cwes)
    return {
        "seen": [task for task in about if task.cwes & seen],
        "heldOut": [task for task in about if not task.cwes & seen],
    }


def groups(tasks, labels, order):
    grouped = defaultdict(list)
    for task in tasks:
        for label in labels(task):
            grouped[label].append(task)
    return [(label, grouped[label]) for label in sorted(grouped, key=order)]
