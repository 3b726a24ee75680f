/**
 * A teacher's answer → a candidate for the row's pair, by the checks that need nothing but the text. Candidates travel
 * as a part to the sandbox and come back as verdicts.
 */
import { z } from 'zod';
import { sha256Schema } from '../../contract/refs.ts';
import { sha256Hex } from '../store/index.ts';
import {
  cweSchema,
  type FilteredRow,
  type RejectedTrace,
  type RejectionReason,
} from '../../contract/rows.ts';
import { canonicalLanguage } from '../language/index.ts';
import type { CodeParser } from './parseCode.ts';
import { checkTrace, type TeacherAnswer } from './traceChecks.ts';

export const candidateSchema = z.strictObject({
  index: z.int().nonnegative(),
  id: z.string().min(1),
  /** Which sample of the teacher. */
  sample: z.int().nonnegative(),
  /** What the code is written in; "" where neither the fence nor the row says so. */
  language: z.string(),
  code: z.string().min(1),
  reasoning: z.string().min(1),
  answer: z.string().min(1),
  cwes: z.array(cweSchema),
  /** The row's own tests. */
  tests: z.string().nullable(),
  /** False where no parser for the language is at hand. */
  parsed: z.boolean(),
});
export type Candidate = z.infer<typeof candidateSchema>;

export const testVerdictSchema = z.strictObject({
  index: z.int().nonnegative(),
  sample: z.int().nonnegative(),
  /** Of the code that was judged: a verdict counts for no other. */
  codeSha256: sha256Schema,
  /**
   * `noTests`: the row has none, or none for this language. `unknown`: the tests could not be run to judge this code,
   * which is not the code's doing.
   */
  kind: z.enum(['passed', 'failed', 'noTests', 'unknown']),
  detail: z.string(),
});
export type TestVerdict = z.infer<typeof testVerdictSchema>;

/** What a verdict is found by: the same code for the same row and sample. */
export function verdictKey({
  index,
  sample,
  codeSha256,
}: Pick<TestVerdict, 'index' | 'sample' | 'codeSha256'>): string {
  return `${index}/${sample}/${codeSha256}`;
}

/** The key of the verdict that a candidate waits for. */
export function awaitedVerdictKey({ code, ...place }: Pick<Candidate, 'index' | 'sample' | 'code'>): string {
  return verdictKey({ ...place, codeSha256: sha256Hex(code) });
}

export type Examined =
  | { readonly kind: 'candidate'; readonly candidate: Candidate }
  | { readonly kind: 'rejected'; readonly rejection: RejectedTrace };

/** Truncation, tags, reasoning, code block, repetition, leak, parse: the first that fails is the reason. */
export async function examine(
  row: FilteredRow,
  sample: number,
  answer: TeacherAnswer,
  parser: CodeParser,
): Promise<Examined> {
  const rejected = (reason: RejectionReason, detail: string): Examined => ({
    kind: 'rejected',
    rejection: rejectionOf({ ...row, sample, answer: answer.text }, reason, detail),
  });
  const check = checkTrace(answer);
  if (!check.ok) return rejected(check.reason, check.detail);
  const word = check.code.language === '' ? (row.language ?? '') : check.code.language;
  const language = canonicalLanguage(word);
  const outcome = await parser.parses(language, check.code.code);
  if (outcome.kind === 'broken') return rejected('codeDoesNotParse', outcome.detail);
  return {
    kind: 'candidate',
    candidate: {
      index: row.index,
      id: row.id,
      sample,
      language,
      code: check.code.code,
      reasoning: check.reasoning,
      answer: check.answer,
      cwes: row.cwes,
      tests: row.tests,
      parsed: outcome.kind === 'parses',
    },
  };
}

const EXCERPT_CHARACTERS = 4000;

/** Of a candidate that a later oracle turns down, or of an answer that never became one. */
export function rejectionOf(
  trace: Pick<RejectedTrace, 'index' | 'id' | 'sample' | 'cwes'> & {
    readonly language: string | null;
    readonly answer: string;
  },
  reason: RejectionReason,
  detail: string,
): RejectedTrace {
  const { index, id, sample, cwes, language, answer } = trace;
  return {
    index,
    id,
    sample,
    reason,
    detail,
    language: language === '' ? null : language,
    cwes,
    excerpt: answer.slice(0, EXCERPT_CHARACTERS),
  };
}
