"""What sets two models apart."""

import math
from collections import Counter
from fractions import Fraction

from distributions import binomial_tail, bisect, clopper_pearson, t_quantile
from intervals import MIN_BOOTSTRAP_CLUSTERS, RESAMPLES, Z
from tasks import by_scenario, one, split_by_training


class Comparison:
    """Two models in the same study, each given by its tasks under the first prompt variant."""

    def __init__(self, study, intervals):
        self.study, self.intervals = study, intervals
        self.k = study["k"]

    def pairs(self, base, tuned, metric):
        """Differences of scenarios: sum, tasks."""
        others = {task.row["taskId"]: task for task in tuned}
        return by_scenario(base, lambda t: others[t.row["taskId"]].value(metric, self.k) - t.value(metric, self.k), one)

    def difference(self, base, tuned, metric):
        clusters = self.pairs(base, tuned, metric)
        if len(clusters) < MIN_BOOTSTRAP_CLUSTERS or len({a / b for a, b in clusters}) == 1:
            low, high = self.corners(base, tuned, metric)
        else:
            low, high = self.intervals.bootstrap([clusters])[0]
        return {
            "value": float(sum(a for a, _ in clusters) / len(base)),
            "low": low,
            "high": high,
            "pValue": self.sign_flip([a for a, _ in clusters]),
            "n": sum(task.samples for task in base),
        }

    def corners(self, base, tuned, metric):
        both = []
        for tasks in (base, tuned):
            clusters = by_scenario(tasks, lambda t: t.value(metric, self.k), one)
            share = sum(a for a, _ in clusters) / sum(b for _, b in clusters)
            wide = 1 - (1 - self.study["confidence"]) / 2
            both.append(clopper_pearson(float(share) * len(clusters), len(clusters), wide))
        return both[1][0] - both[0][1], both[1][1] - both[0][0]

    def sign_flip(self, sums):
        """The exact distribution of the sum under random signs, where its steps allow to hold it; else drawn."""
        moving = [s for s in sums if s != 0]
        step = math.lcm(*(s.denominator for s in moving)) if moving else 1
        whole = [int(s * step) for s in moving]
        observed = abs(sum(whole))
        if sum(abs(w) for w in whole) < 50_000:
            ways = Counter({0: 1})
            for w in whole:
                after = Counter()
                for total, count in ways.items():
                    after[total + w] += count
                    after[total - w] += count
                ways = after
            p = float(Fraction(sum(c for t, c in ways.items() if abs(t) >= observed), 2 ** len(whole)))
            resamples = math.inf
        else:
            coin = self.intervals.resampler.random.random
            draws = [abs(sum(w if coin() < 0.5 else -w for w in whole)) for _ in range(RESAMPLES)]
            p = (sum(draw >= observed for draw in draws) + 1) / (RESAMPLES + 1)
            resamples = RESAMPLES
        if len(moving) <= 14:
            return p
        theirs = self.study["resamples"]
        error = Z * math.sqrt(p * (1 - p) * (1 / theirs + 1 / resamples)) + 1 / theirs + 1 / resamples
        return {"between": [max(0.0, p - error), min(1.0, p + error)]}

    def differences(self, base, tuned):
        return {
            **{metric: self.difference(base, tuned, metric) for metric in ("func", "secure", "funcSec")},
            "tasks": len(base),
            "scenarios": len({task.row["scenario"] for task in base}),
        }

    def smallest(self, base, tuned):
        clusters = self.pairs(base, tuned, "funcSec")
        count = len(clusters)
        if count < 6:
            return None
        tasks = sum(b for _, b in clusters)
        mean = sum(a for a, _ in clusters) / tasks
        squares = sum((a - b * mean) ** 2 for a, b in clusters)
        variance = float(Fraction(count, count - 1) * squares / tasks**2)
        answers = sum(task.samples for task in base) / self.k
        factor = (t_quantile(0.975, count - 1) + t_quantile(0.8, count - 1)) ** 2
        seen = abs(float(mean))
        delta = math.sqrt(factor * variance)
        if delta > seen:
            # delta^2 = factor (variance + x(1 - x)/answers), x = delta - seen: the larger root.
            a = 1 + factor / answers
            b = -factor / answers * (1 + 2 * seen)
            c = factor * (seen + seen * seen) / answers - factor * variance
            delta = (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a)
        if delta >= 1:
            return None
        moves = bisect(lambda p: binomial_tail(count, p, 6) < 0.8, 0.0, 1.0)
        turns = bisect(lambda p: 1 - (1 - p) ** (answers / count) < moves, 0.0, 1.0)
        return max(delta, turns)

    def mcnemar(self, base, tuned):
        if not self.study["greedy"]:
            return None
        others = {task.row["taskId"]: task.counts["funcSec"] for task in tuned}
        table = Counter((task.counts["funcSec"], others[task.row["taskId"]]) for task in base)
        b, c = table[(1, 0)], table[(0, 1)]
        tail = Fraction(sum(math.comb(b + c, i) for i in range(min(b, c) + 1)), 2 ** (b + c))
        return {
            "onlyBase": b,
            "onlyTuned": c,
            "both": table[(1, 1)],
            "neither": table[(0, 0)],
            "pValue": float(min(Fraction(1), 2 * tail)),
        }

    def compare(self, base, tuned):
        splits = [split_by_training(tasks, self.study["seenCwes"]) for tasks in (base, tuned)]
        return {
            **self.differences(base, tuned),
            **{
                name: self.differences(splits[0][name], splits[1][name]) if splits[0][name] else None
                for name in ("seen", "heldOut")
            },
            "minimalDetectable": self.smallest(base, tuned),
            "mcnemar": self.mcnemar(base, tuned),
        }
