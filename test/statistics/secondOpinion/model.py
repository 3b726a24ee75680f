"""The scores of one model."""

from collections import Counter, defaultdict
from fractions import Fraction

from tasks import Task, by_scenario, groups, one, split_by_training


class Model:
    """The verdicts of one model in a study."""

    def __init__(self, study, intervals, verdicts):
        self.study, self.intervals, self.verdicts = study, intervals, verdicts
        self.k = study["k"]
        self.headline = [v for v in verdicts if v["variant"] == study["variants"][0]]

    def group(self, tasks, drawn=True):
        samples = sum(task.samples for task in tasks)
        functional = sum(task.counts["func"] for task in tasks)
        parts = {
            name: (by_scenario(tasks, lambda t, name=name: t.value(name, self.k), one), samples)
            for name in ("func", "secure", "funcSec", "bestCaseFuncSec")
        }
        parts["insecure"] = (by_scenario(tasks, lambda t: t.value("insecure", 1), one), samples)
        if functional > 0:
            parts["secRatio"] = (
                by_scenario(tasks, lambda t: t.value("funcSec", self.k), lambda t: t.value("func", self.k)),
                functional,
            )
        scores, exact = self.intervals.scores(parts, drawn)
        listed = ("func", "secure", "funcSec", "bestCaseFuncSec", "secRatio", "insecure")
        return {
            "secRatio": None,
            **scores,
            "exactIntervals": [name for name in listed if name in exact],
            "samples": samples,
            "tasks": len(tasks),
            "scenarios": len({task.row["scenario"] for task in tasks}),
            "unknown": sum(task.counts["unknown"] for task in tasks),
            "missing": samples - sum(len(task.verdicts) for task in tasks),
        }

    def tasks(self, variant):
        mine = defaultdict(list)
        for verdict in self.verdicts:
            if verdict["variant"] == variant:
                mine[verdict["taskId"]].append(verdict)
        return [Task(row, self.study["samplesPerTask"], mine[row["taskId"]]) for row in self.study["tasks"]]

    def scores(self):
        variants, families, headline = self.study["variants"], self.study["familyOf"], self.headline
        tasks = self.tasks(variants[0])
        split = split_by_training(tasks, self.study["seenCwes"])
        cwes = groups(tasks, lambda t: t.cwes, lambda cwe: int(cwe[4:]))
        by_family = groups(
            tasks,
            lambda t: {families[cwe] for cwe in t.cwes if families[cwe] is not None},
            self.study["families"].index,
        )
        languages = groups(tasks, lambda t: [t.row["language"]], str)
        n = self.study["samplesPerTask"]
        tries = sorted(k for k in {1, 5, 10, 20, 50, 100, self.k, n} if k <= n)
        metrics = ("func", "secure", "funcSec")
        at_k, _ = self.intervals.scores(
            {
                (k, name): (by_scenario(tasks, lambda t, k=k, name=name: t.value(name, k), one), n * len(tasks))
                for k in tries
                for name in metrics
            }
        )
        whole = self.group(tasks)
        return {
            **whole,
            **{name: self.group(group) if group else None for name, group in split.items()},
            "perCwe": [
                {"cwe": cwe, "seen": cwe in self.study["seenCwes"], **self.group(group, drawn=False)}
                for cwe, group in cwes
            ],
            "perFamily": [{"name": name, **self.group(group, drawn=False)} for name, group in by_family],
            "perLanguage": [{"name": name, **self.group(group, drawn=False)} for name, group in languages],
            "perVariant": [{"name": v, **(whole if v == variants[0] else self.group(self.tasks(v)))} for v in variants],
            "passAtK": [{"k": k, **{name: at_k[(k, name)] for name in metrics}} for k in tries],
            "esrLike": self.esr(tasks),
            "retried": sum(1 for v in headline if v["attempts"] > 1),
            "truncated": sum(1 for v in headline if v["truncated"]),
            "reasons": dict(Counter(v["reason"].partition(":")[0] for v in headline)),
        }

    def esr(self, tasks):
        def judged(verdict):
            return [o for o in verdict["opinions"] if o["findings"] is not None]

        languages = {t.row["language"] for t in tasks if any(judged(v) for v in t.verdicts)}
        mine = [t for t in tasks if t.row["language"] in languages]
        if not mine:
            return None

        def clean(task):
            good = 0
            for v in task.verdicts:
                works = v["functional"] and not v["unknown"]
                good += bool(works and judged(v) and all(o["findings"] == 0 for o in judged(v)))
            return Fraction(good, task.samples)

        part = by_scenario(mine, clean, one), sum(t.samples for t in mine)
        return self.intervals.scores({"esr": part})[0]["esr"]
