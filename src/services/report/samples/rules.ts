/** How much of each sample's text a page holds, so that tens of thousands of samples stay one small file. */
import { count } from '../content/cells.ts';

/** Most characters of a text; 0 leaves it out. */
export interface TextRule {
  readonly prompt: number;
  readonly code: number;
  /** What the reply says before its code, and after it; or all of a reply without code. */
  readonly besideCode: number;
  readonly reasoning: number;
  readonly log: number;
  /** The log of a sample that did all it was asked for. */
  readonly successLog: number;
  /** What a reader of the page must know. */
  readonly words: string;
}

/** No page is worth a text that is longer. */
const WHOLE = 65_536;
/** Each lets through about 0.7 of the one before. */
const CUTS = [16_000, 11_000, 8000, 5600, 4000, 2800, 2000, 1400, 1000, 700, 500, 350, 250, 180, 120];
const MAX_CUT_LOG = 1000;

const whole: TextRule = {
  prompt: WHOLE,
  code: WHOLE,
  besideCode: WHOLE,
  reasoning: WHOLE,
  log: WHOLE,
  successLog: WHOLE,
  words: `A text of more than ${count(WHOLE)} characters is cut in its middle, and says so.`,
};
const why = 'To keep this page below 30 MB, ';
const elsewhere = "The evaluation's artefacts hold them whole.";

/** From everything to little: the first under which the page is small enough holds. */
export const textRules: readonly TextRule[] = [
  whole,
  {
    ...whole,
    successLog: 0,
    words: `${why}the logs of samples that succeeded are left out. ${whole.words} ${elsewhere}`,
  },
  ...CUTS.map(cutRule),
];

function cutRule(cut: number): TextRule {
  const log = Math.min(MAX_CUT_LOG, cut);
  return {
    prompt: cut * 4,
    code: cut * 2,
    besideCode: cut,
    reasoning: cut,
    log,
    successLog: 0,
    words: `${why}the logs of samples that succeeded are left out, and longer texts are cut in their middle and say so: code after ${count(cut * 2)} characters, what stands beside it and reasoning after ${count(cut)}, logs after ${count(log)}, prompts after ${count(cut * 4)}. ${elsewhere}`,
  };
}

/** Where not even the shortest cut fits. */
export const noTexts: TextRule = {
  prompt: 500,
  code: 0,
  besideCode: 0,
  reasoning: 0,
  log: 0,
  successLog: 0,
  words: `${why}it holds the verdicts and reasons of all samples, but not their texts. ${elsewhere}`,
};

/** Two thirds from the beginning, a third from the end, and how much is missing; null where nothing is kept. */
export function cut(text: string, limit: number): string | null {
  if (text.length <= limit) return text;
  if (limit === 0) return null;
  const head = Math.ceil((limit * 2) / 3);
  const tail = limit - head;
  const left = `\n⟨${count(text.length - limit)} characters are left out here⟩\n`;
  return `${text.slice(0, head)}${left}${text.slice(text.length - tail)}`;
}
