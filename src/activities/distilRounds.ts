/**
 * One shard of distil: sample after sample until every task has a trace that all oracles let pass, or all samples are
 * used up. Everything is derived from the ledger and from the verdicts so far, so an attempt that is lost, or that
 * waits for tests on another machine, is played again from the start and pays nothing twice.
 */
import type { DistillSettings } from '../contract/recipe.ts';
import type { Usage } from '../contract/manifest.ts';
import type { DeadLetter, FilteredRow, RejectedTrace, TraceRow } from '../contract/rows.ts';
import { addUsage, emptyUsage } from '../contract/usage.ts';
import type { BudgetHolder } from '../contract/workflows.ts';
import type { Decontaminator } from '../services/decontaminate/index.ts';
import { analyse } from '../services/distill/analysers.ts';
import {
  awaitedVerdictKey,
  examine,
  rejectionOf,
  verdictKey,
  type Candidate,
  type TestVerdict,
} from '../services/distill/candidates.ts';
import { chooseBest, refuseTask, toPair, type Passing } from '../services/distill/choose.ts';
import {
  JUDGE_PROMPT_VERSION,
  judgedDefect,
  judgeMessages,
  judgementSchema,
} from '../services/distill/judge.ts';
import { createCodeParser, type CodeParser } from '../services/distill/parseCode.ts';
import { promptVersionOf, teacherMessages } from '../services/distill/prompt.ts';
import type { LedgerAnswer } from '../services/llm/ledger.ts';
import { parseStructured } from '../services/llm/structured.ts';
import { decontaminatorOf } from './decontamination.ts';
import type { Deps } from './deps.ts';
import { useLedger, type AskPools } from './askPools.ts';
import { askRows, deadLetterOf } from './askRows.ts';
import type { ActivityRun } from './runActivity.ts';

const STAGE = 'distil';

export interface RoundsInput {
  readonly distill: DistillSettings;
  readonly rows: readonly FilteredRow[];
  readonly fingerprint: string;
  readonly budget: BudgetHolder | null;
  /** What the dataset was held apart from; traces are too. */
  readonly decontaminated: unknown;
  readonly verdicts: readonly TestVerdict[];
}

export type RoundsOutcome =
  | { readonly status: 'test'; readonly candidates: readonly Candidate[] }
  | {
      readonly status: 'done';
      readonly pairs: readonly TraceRow[];
      readonly rejected: readonly RejectedTrace[];
      readonly deadLetter: readonly DeadLetter[];
      readonly usage: Usage;
      readonly counts: Readonly<Record<string, number>>;
    };

interface RowState {
  readonly row: FilteredRow;
  readonly passing: Passing[];
  /** Why the last sample brought no answer. */
  dead: DeadLetter | null;
}

/** A candidate on its way through the oracles; `oracles` counts those that could judge it. */
interface Contender {
  readonly state: RowState;
  readonly candidate: Candidate;
  readonly answer: LedgerAnswer;
  oracles: number;
}

export class DistilRounds {
  readonly #deps: Deps;
  readonly #pools: AskPools;
  readonly #run: ActivityRun;
  readonly #input: RoundsInput;
  readonly #verdicts: ReadonlyMap<string, TestVerdict>;
  readonly #rejected: RejectedTrace[] = [];
  readonly #counts = {
    answers: 0,
    acceptedWithoutParser: 0,
    testsPassed: 0,
    testsUnknown: 0,
    analysed: 0,
    judged: 0,
  };
  #usage: Usage = emptyUsage;
  #rejectedUsd = 0;

  constructor(deps: Deps, pools: AskPools, run: ActivityRun, input: RoundsInput) {
    this.#deps = deps;
    this.#pools = pools;
    this.#run = run;
    this.#input = input;
    this.#verdicts = new Map(input.verdicts.map((verdict) => [verdictKey(verdict), verdict]));
  }

  async play(): Promise<RoundsOutcome> {
    const { distill, rows } = this.#input;
    const states = rows.flatMap((row) => this.#stateOf(row));
    const parser = createCodeParser(this.#deps.paths.pythonPath);
    try {
      const decontaminator = await decontaminatorOf(this.#deps, this.#input.decontaminated);
      for (let sample = 0; sample < distill.samples.n; sample += 1) {
        const asking = states.filter(({ passing }) => !distill.samples.earlyStop || passing.length === 0);
        if (asking.length === 0) break;
        const contenders = await this.#ask(asking, sample, parser);
        const untested = this.#withoutVerdict(contenders);
        if (untested.length > 0) {
          // Whoever plays on, here or elsewhere, must find these very answers.
          await this.#carryAnswers();
          return { status: 'test', candidates: untested };
        }
        await this.#judgeAll(contenders, decontaminator);
      }
    } finally {
      await parser.close();
    }
    return this.#finish(states);
  }

  async #carryAnswers(): Promise<void> {
    const { teacher, prompt } = this.#input.distill;
    await useLedger(
      this.#deps,
      this.#pools,
      teacher,
      promptVersionOf(prompt),
      async (ledger) => await ledger.flush(),
    );
  }

  #stateOf(row: FilteredRow): RowState[] {
    const refused = this.#input.distill.keepPromptInPair ? null : refuseTask(row);
    if (refused === null) return [{ row, passing: [], dead: null }];
    this.#rejected.push(refused);
    return [];
  }

  async #ask(states: readonly RowState[], sample: number, parser: CodeParser): Promise<Contender[]> {
    const { distill, fingerprint, budget } = this.#input;
    const { results, usage } = await askRows(this.#deps, this.#pools, this.#run, {
      endpoint: distill.teacher,
      field: 'distill.teacher',
      stage: STAGE,
      promptVersion: promptVersionOf(distill.prompt),
      fingerprint,
      budget,
      rows: states.map(({ row }) => row),
      sample,
      elsewhere: this.#verdicts.size > 0,
      messages: (row) => teacherMessages(row.task, row.cwes, distill.prompt),
      interpret: (answer) => answer,
    });
    this.#usage = addUsage(this.#usage, usage);
    const contenders: Contender[] = [];
    for (const [position, result] of results.entries()) {
      const state = states[position];
      if (state === undefined) continue;
      if (result.kind === 'dead') {
        state.dead = deadLetterOf(state.row, result.error);
        continue;
      }
      state.dead = null;
      this.#counts.answers += 1;
      const answer = result.value;
      const examined = await examine(state.row, sample, answer, parser);
      if (examined.kind === 'rejected') this.#reject(examined.rejection, answer);
      else
        contenders.push({
          state,
          candidate: examined.candidate,
          answer,
          oracles: examined.candidate.parsed ? 1 : 0,
        });
    }
    return contenders;
  }

  #withoutVerdict(contenders: readonly Contender[]): Candidate[] {
    if (this.#input.distill.oracles.tests === 'off') return [];
    return contenders.flatMap(({ candidate }) =>
      candidate.tests !== null && !this.#verdicts.has(awaitedVerdictKey(candidate)) ? [candidate] : [],
    );
  }

  /** The oracles after the parser, cheapest first; whoever is turned down is not shown to the next. */
  async #judgeAll(contenders: readonly Contender[], decontaminator: Decontaminator | null): Promise<void> {
    const tested = contenders.filter((contender) => this.#passesTests(contender));
    const clean = tested.filter((contender) => this.#isApart(contender, decontaminator));
    const analysed = await this.#analyse(clean);
    for (const { state, candidate, oracles } of await this.#judge(analysed))
      state.passing.push({ candidate, oracles });
  }

  #passesTests(contender: Contender): boolean {
    const { tests } = this.#input.distill.oracles;
    const { candidate } = contender;
    const verdict = this.#verdicts.get(awaitedVerdictKey(candidate));
    if (tests === 'off') return true;
    switch (verdict?.kind) {
      case 'passed':
        this.#counts.testsPassed += 1;
        contender.oracles += 1;
        return true;
      case 'failed':
        this.#turnDown(contender, 'testsFail', verdict.detail);
        return false;
      case 'unknown':
        this.#counts.testsUnknown += 1;
        break;
      case 'noTests':
      case undefined:
        break;
    }
    if (tests === 'auto') return true;
    this.#turnDown(contender, 'noTests', verdict?.detail ?? 'the row has no tests of its own');
    return false;
  }

  #isApart(contender: Contender, decontaminator: Decontaminator | null): boolean {
    const hit = decontaminator?.check(contender.candidate.code) ?? null;
    if (hit !== null) this.#turnDown(contender, 'contaminated', hit.how);
    return hit === null;
  }

  async #analyse(contenders: readonly Contender[]): Promise<Contender[]> {
    const names = this.#input.distill.oracles.analysers;
    if (names.length === 0 || contenders.length === 0) return [...contenders];
    const analyses = await analyse(
      contenders.map(({ candidate }) => candidate),
      { pythonPath: this.#deps.paths.pythonPath, names, signal: this.#run.signal },
    );
    return contenders.filter((contender, position) => {
      const analysis = analyses[position];
      if (analysis === undefined || analysis.kind === 'notJudged') return true;
      this.#counts.analysed += 1;
      contender.oracles += 1;
      if (analysis.kind === 'passed') return true;
      this.#turnDown(contender, 'analyserFinding', analysis.detail);
      return false;
    });
  }

  async #judge(contenders: readonly Contender[]): Promise<Contender[]> {
    const { distill, fingerprint, budget } = this.#input;
    const { judge } = distill.oracles;
    if (judge === undefined || contenders.length === 0) return [...contenders];
    const { results, usage } = await askRows(this.#deps, this.#pools, this.#run, {
      endpoint: judge.model,
      field: 'distill.oracles.judge.model',
      stage: STAGE,
      promptVersion: JUDGE_PROMPT_VERSION,
      fingerprint,
      budget,
      rows: contenders.map((contender) => ({ ...contender, id: contender.candidate.id })),
      messages: ({ state, candidate }) => judgeMessages(state.row.task, candidate),
      responseSchema: { name: 'judgement', schema: judgementSchema },
      interpret: (answer) => parseStructured(answer, judgementSchema),
    });
    this.#usage = addUsage(this.#usage, usage);
    return contenders.filter((contender, position) => {
      const result = results[position];
      // A judge that cannot be understood has not judged.
      if (result === undefined || result.kind === 'dead') return true;
      this.#counts.judged += 1;
      contender.oracles += 1;
      const defect = judgedDefect(result.value);
      if (defect !== null) this.#turnDown(contender, 'judgedInsecure', defect);
      return defect === null;
    });
  }

  #turnDown({ candidate, answer }: Contender, reason: RejectedTrace['reason'], detail: string): void {
    this.#reject(rejectionOf(candidate, reason, detail), answer);
  }

  #reject(rejection: RejectedTrace, answer: LedgerAnswer): void {
    this.#rejected.push(rejection);
    // What another run paid for is not this one's loss.
    if (answer.payer === this.#input.fingerprint) this.#rejectedUsd += answer.costUsd;
  }

  #finish(states: readonly RowState[]): RoundsOutcome {
    const { prompt, keepPromptInPair } = this.#input.distill;
    const pairs: TraceRow[] = [];
    const deadLetter: DeadLetter[] = [];
    for (const { row, passing, dead } of states) {
      const best = chooseBest(passing);
      if (best === null) {
        if (dead !== null) deadLetter.push(dead);
        continue;
      }
      pairs.push(toPair(row, best, prompt, keepPromptInPair));
      if (!best.parsed) this.#counts.acceptedWithoutParser += 1;
    }
    return {
      status: 'done',
      pairs,
      rejected: this.#rejected,
      deadLetter,
      usage: { ...this.#usage, rejectedUsd: this.#rejectedUsd },
      counts: this.#counts,
    };
  }
}
