"""The statistics of a benchmark, written a second time and by other means.

Reads a study as JSON from stdin (independent.test.ts writes it) and prints what the summary must hold, in its shape. A
number is to be met to 1e-9; {"between": [low, high]} stands where chance decides, and gives the bounds that it keeps.
Standard library only. Where the first implementation uses products, continued fractions and closed forms, this one uses
fractions of binomials, sums, quadrature and bisection.
"""

import json
import sys

from comparison import Comparison
from intervals import Intervals
from model import Model
from others import agreement, upstream


def main():
    study = json.load(sys.stdin)
    intervals = Intervals(study["confidence"], study["resamples"], study["seed"])
    models = {name: Model(study, intervals, study[name]) for name in ("base", "tuned")}
    first = study["variants"][0]
    compared = Comparison(study, intervals).compare(models["base"].tasks(first), models["tuned"].tasks(first))
    json.dump(
        {
            "models": {name: model.scores() for name, model in models.items()},
            "difference": compared,
            "upstream": {name: upstream(model.headline) for name, model in models.items()},
            "agreement": {name: agreement(model.headline, study["analysers"]) for name, model in models.items()},
        },
        sys.stdout,
    )


main()
