"""Distributions by sums, quadrature and bisection."""

import math


def bisect(is_below, low, high, steps=200):
    for _ in range(steps):
        middle = (low + high) / 2
        if is_below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def binomial_tail(n, p, at_least):
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(at_least, n + 1))


def beta_cdf(x, a, b):
    """By tanh-sinh quadrature over s = t^a, which takes the singularity at 0 away; a or b is at least 1."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if b < 1:
        return 1 - beta_cdf(1 - x, b, a)
    end, step, total = x**a, 1 / 16, []
    for i in range(-64, 65):
        u = math.pi / 2 * math.sinh(i * step)
        s = end / (1 + math.exp(-2 * u))
        weight = end * math.pi / 4 * math.cosh(i * step) / math.cosh(u) ** 2
        if 0 < s < 1:
            total.append(weight * (1 - s ** (1 / a)) ** (b - 1))
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return math.fsum(total) * step / a / math.exp(log_beta)


def root(f, low, high):
    """Of a function that rises from below 0 to above it: the Illinois variant of regula falsi."""
    below, above = f(low), f(high)
    for _ in range(100):
        if high - low < 1e-13:
            break
        middle = (low * above - high * below) / (above - below)
        value = f(middle)
        if value == 0:
            return middle
        if value < 0:
            low, below, above = middle, value, above / 2
        else:
            high, above, below = middle, value, below / 2
    return (low + high) / 2


def clopper_pearson(successes, n, confidence):
    tail = (1 - confidence) / 2
    whole = round(successes)
    if abs(successes - whole) < 1e-9:
        low = bisect(lambda p: binomial_tail(n, p, whole) < tail, 0.0, 1.0) if whole > 0 else 0.0
        high = bisect(lambda p: 1 - binomial_tail(n, p, whole + 1) > tail, 0.0, 1.0) if whole < n else 1.0
        return low, high
    return (
        root(lambda p: beta_cdf(p, successes, n - successes + 1) - tail, 0.0, 1.0),
        root(lambda p: beta_cdf(p, successes + 1, n - successes) - (1 - tail), 0.0, 1.0),
    )


def t_cdf(t, freedom):
    """The finite sums for whole degrees of freedom, Abramowitz and Stegun 26.7.3 and 26.7.4."""
    theta = math.atan(t / math.sqrt(freedom))
    cos, sin = math.cos(theta), math.sin(theta)
    if freedom == 1:
        return 0.5 + theta / math.pi
    terms, factor = [], 1.0
    if freedom % 2 == 1:
        factor = cos
        for i in range(1, (freedom - 1) // 2 + 1):
            terms.append(factor)
            factor *= cos * cos * (2 * i) / (2 * i + 1)
        return 0.5 + (theta + sin * math.fsum(terms)) / math.pi
    for i in range(1, freedom // 2 + 1):
        terms.append(factor)
        factor *= cos * cos * (2 * i - 1) / (2 * i)
    return 0.5 + sin * math.fsum(terms) / 2


def t_quantile(probability, freedom):
    return bisect(lambda t: t_cdf(t, freedom) < probability, 0.0, 1e6)


def normal_cdf(z):
    return math.erfc(-z / math.sqrt(2)) / 2
