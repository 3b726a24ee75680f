/** Everything that is said of one benchmark, in order; plots stand between in the page. */
import type { Block } from '../blocks.ts';
import type { BenchmarkView } from '../view.ts';
import { namedBlocks, passAtKBlocks, weaknessBlocks } from './breakdowns.ts';
import { groupBlocks, modelBlocks } from './scores.ts';
import {
  agreementBlocks,
  benchmarkVersionBlocks,
  excludedBlocks,
  referenceBlocks,
  upstreamBlocks,
} from './trust.ts';

export interface Part {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** The weaknesses, whose table stands beside a plot. */
export function weaknessPart(view: BenchmarkView): Part {
  return { title: 'By weakness', blocks: weaknessBlocks(view) };
}

/** The others; parts that have nothing to say are left out. */
export function detailParts(view: BenchmarkView): Part[] {
  const security = view.measures !== 'function';
  const parts: Part[] = [
    { title: 'Strict and upstream', blocks: upstreamBlocks(view) },
    { title: 'Seen and held-out weaknesses', blocks: security ? groupBlocks(view) : [] },
    { title: 'More tries', blocks: passAtKBlocks(view) },
    { title: 'By prompt variant', blocks: namedBlocks(view, 'perVariant') },
    { title: 'By language', blocks: namedBlocks(view, 'perLanguage') },
    { title: 'By family of weaknesses', blocks: namedBlocks(view, 'perFamily') },
    { title: 'Static analysers beside the tests', blocks: agreementBlocks(view) },
    { title: 'References', blocks: referenceBlocks(view) },
    { title: 'Excluded and unknown', blocks: excludedBlocks(view) },
    { title: 'Models and versions', blocks: [...modelBlocks(view), ...benchmarkVersionBlocks(view)] },
  ];
  return parts.filter(({ blocks }) => blocks.length > 0);
}
