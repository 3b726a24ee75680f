"""Exact intervals, and the bounds that chance leaves to a bootstrap."""

import math
import random

from distributions import clopper_pearson, normal_cdf, t_quantile

RESAMPLES = 8_000
# A bound that chance leaves less than once in a million times.
Z = 5.0
MIN_BOOTSTRAP_CLUSTERS = 5


class Resampler:
    """Draws of whole clusters; its own generator, its own seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def ratios(self, parts):
        """For each part, over the same drawn clusters, the sorted ratios of its sums."""
        columns = [([float(a) for a, _ in part], [float(b) for _, b in part]) for part in parts]
        drawn = [[] for _ in parts]
        clusters = range(len(parts[0])) if parts else range(0)
        while any(len(ratios) < RESAMPLES for ratios in drawn):
            chosen = self.random.choices(clusters, k=len(clusters))
            for ratios, (numerators, denominators) in zip(drawn, columns, strict=True):
                below = sum(map(denominators.__getitem__, chosen))
                if below > 0 and len(ratios) < RESAMPLES:
                    ratios.append(sum(map(numerators.__getitem__, chosen)) / below)
        return [sorted(ratios) for ratios in drawn]


def quantile(ordered, probability):
    position = (len(ordered) - 1) * probability
    floor = math.floor(position)
    ceiling = min(floor + 1, len(ordered) - 1)
    return ordered[floor] + (ordered[ceiling] - ordered[floor]) * (position - floor)


def bounds(ordered, probability, their_resamples):
    """Where another bootstrap's quantile lies: between the quantiles of the probabilities that chance moves it to."""
    error = Z * math.sqrt(probability * (1 - probability) * (1 / their_resamples + 1 / len(ordered)))
    low, high = probability - error, probability + error
    return {
        "between": [
            quantile(ordered, low) - 1e-9 if low > 0 else -1,
            quantile(ordered, high) + 1e-9 if high < 1 else 1,
        ]
    }


class Intervals:
    """Of ratios over clusters, each a list of (numerator, denominator)."""

    def __init__(self, confidence, resamples, seed):
        self.confidence = confidence
        # Of the other implementation.
        self.resamples = resamples
        self.resampler = Resampler(seed + 1_000_003)

    def exact(self, clusters):
        """The exact interval where the bootstrap says nothing, else None."""
        said = [(a, b) for a, b in clusters if b > 0]
        if len(said) >= MIN_BOOTSTRAP_CLUSTERS and len({a / b for a, b in said}) > 1:
            return None
        share = sum(a for a, _ in said) / sum(b for _, b in said)
        return clopper_pearson(float(share) * len(said), len(said), self.confidence)

    def bootstrap(self, parts):
        intervals = []
        for clusters, ordered in zip(parts, self.resampler.ratios(parts), strict=True):
            said = sum(1 for _, b in clusters if b > 0)
            tail = (1 - self.confidence) / 2
            tail = normal_cdf(-math.sqrt(said / (said - 1)) * t_quantile(1 - tail, said - 1))
            resamples = self.resamples
            intervals.append((bounds(ordered, tail, resamples), bounds(ordered, 1 - tail, resamples)))
        return intervals

    def scores(self, parts, drawn=True):
        """By name, of (clusters, n): the scores, and the names of those whose interval is exact."""
        intervals = {name: self.exact(clusters) for name, (clusters, _) in parts.items()}
        exact = [name for name, interval in intervals.items() if interval is not None]
        rest = [name for name in parts if name not in exact]
        if drawn:
            intervals.update(zip(rest, self.bootstrap([parts[name][0] for name in rest]), strict=True))
        scores = {}
        for name, (clusters, n) in parts.items():
            scores[name] = {"value": float(sum(a for a, _ in clusters) / sum(b for _, b in clusters)), "n": n}
            if intervals[name] is not None:
                scores[name]["low"], scores[name]["high"] = intervals[name]
        return scores, exact
