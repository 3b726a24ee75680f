/** The formulas behind a trend. */

export function trendFormulas(): Record<string, string> {
  return {
    'comparison of nights':
      'By task, the successes of a look among those of look and baseline are hypergeometric if nothing changed; the look’s successes in all have the convolution of the tasks’ distributions. p = P(S ≤ s) for lower, P(S ≥ s) for higher: the exact conditional test of a common shift over strata (Cox 1970; Birch 1964). It is about these tasks and takes answers to one task for independent draws, so nothing is clustered.',
    'looks and false alarms':
      'Each night and benchmark: tonight lower, the last nights together lower, tonight higher. Each at α = stated rate / (looks × benchmarks × horizon in nights): by Bonferroni’s inequality any false alarm within the horizon is at most as likely as stated, however the looks depend on each other.',
    'interval of a night':
      '95 %, Clopper–Pearson over all its samples. For these tasks, each with a chance of its own, it is rather too wide than too narrow (Hoeffding 1956). It does not cover other tasks.',
    'power of a night':
      'Normal approximation of the exact test with a continuity correction of ½, every task losing the same part of its successes; rates of the tasks from the baseline, (c + ½)/(n + 1).',
  };
}
