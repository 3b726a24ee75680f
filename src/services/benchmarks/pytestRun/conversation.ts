/** What is said between the grader and the process of the tests, and what follows from it. */
import { randomBytes, randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { spellOutControls, tailOf, type SandboxEnd, type SandboxProcess } from '../../sandbox/index.ts';
import type { ExpectedTests } from '../grading/index.ts';
import { readLines } from '../grading/lines.ts';
import { pytestMessageSchema, type CollectedTest, type PytestMessage, type TestReport } from './messages.ts';
import type { PytestEnd, PytestRequest, PytestResult, PytestTest } from './types.ts';

const MAX_MESSAGE_BYTES = 4 * 1024 ** 2;
const LOG_CHARACTERS = 4000;
/** As many as there are kinds of them in secpi_canaries. */
const CANARIES = 6;

/** One run, from the request on stdin to the last message on stdout. */
export class Conversation {
  readonly #running: SandboxProcess;
  readonly #request: PytestRequest;
  readonly #key = randomBytes(16).toString('hex');
  readonly #canaryIds = new Set<string>();
  readonly #reports: TestReport[] = [];
  #log = '';
  #collected: readonly CollectedTest[] | null = null;
  #broken: string | null = null;
  #unexpected: string | null = null;
  #status: number | null = null;
  #malformed = false;

  constructor(running: SandboxProcess, request: PytestRequest) {
    this.#running = running;
    this.#request = request;
    running.stderr.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString('utf8')).slice(-2 * LOG_CHARACTERS);
    });
    const stop = () => {
      this.#malformed = true;
      running.kill();
    };
    readLines(
      running.stdout,
      MAX_MESSAGE_BYTES,
      (line) => {
        // Whatever else comes this way was not written by the tests' process.
        if (!line.startsWith(`${this.#key} `)) return;
        const message = parseMessage(line.slice(this.#key.length + 1));
        if (message === null) stop();
        else this.#take(message);
      },
      stop,
    );
    // A process that is gone does not read its request; how it ended is told by `done`.
    running.stdin.on('error', () => {});
    this.#tell({
      key: this.#key,
      testFile: request.testFile,
      keyword: request.keyword,
      pythonPath: request.pythonPath ?? [],
      preload: request.preload ?? [],
      cwd: request.cwd ?? '/work',
      perTestSeconds: request.perTestSeconds,
      collectOnly: request.expected === null,
      inProcess: request.inProcess,
    });
  }

  #tell(order: object): void {
    this.#running.stdin.write(`${JSON.stringify(order)}\n`);
  }

  #take(message: PytestMessage): void {
    switch (message.type) {
      case 'collected':
        // A second one is the sample's.
        if (this.#collected !== null) this.#malformed = true;
        else this.#compare(message.tests);
        break;
      case 'broken':
        this.#broken ??= message.why;
        break;
      case 'test':
        this.#reports.push(message);
        break;
      case 'end':
        if (this.#status !== null) this.#malformed = true;
        this.#status = message.status;
        break;
    }
  }

  #compare(tests: readonly CollectedTest[]): void {
    this.#collected = tests;
    const { expected, inProcess, hideTests, folder, testFile } = this.#request;
    if (expected === null || this.#broken !== null) return;
    this.#unexpected = difference(tests, expected);
    if (this.#unexpected !== null) {
      this.#running.kill();
      return;
    }
    if (hideTests === true) rmSync(join(folder, testFile));
    this.#tell({ canaries: inProcess ? this.#hideCanaries(tests) : [] });
  }

  /** Tests that must fail, named and marked like the real ones, each somewhere among those of its mark. */
  #hideCanaries(tests: readonly CollectedTest[]): object[] {
    return Array.from({ length: CANARIES }, (_, number) => {
      const like = tests[randomInt(tests.length)];
      const name = `${/^\w+/.exec(like?.id ?? '')?.[0] ?? 'test'}_${randomBytes(4).toString('hex')}`;
      this.#canaryIds.add(name);
      return { name, mark: like?.mark ?? 'functionality', at: randomInt(tests.length + number + 1) };
    });
  }

  /**
   * Whether the process said all that it had to say, and nothing more: every test expected was reported once, and none
   * ran out of time, or the file could not be imported.
   */
  isWhole(end: SandboxEnd): boolean {
    const { expected } = this.#request;
    if (expected === null || this.#unexpected !== null || this.#status === null || end.exitCode !== 0)
      return false;
    const { end: said, forged, tests } = this.result(end, expected);
    if (forged) return false;
    if (said.kind === 'notCollected') return true;
    const isOpen = ({ outcome }: PytestTest): boolean => outcome === 'notRun' || outcome === 'timeout';
    return said.kind === 'finished' && tests.length > 0 && !tests.some(isOpen);
  }

  result(process: SandboxEnd, expected: ExpectedTests | null): PytestResult {
    const real = this.#reports.filter(({ id }) => !this.#canaryIds.has(id));
    const tests = (this.#collected ?? []).map(({ id, mark }): PytestTest => {
      const [report, ...more] = real.filter((one) => one.id === id);
      if (report === undefined || more.length > 0) return { id, mark, outcome: 'notRun', callPassed: false };
      return { id, mark, outcome: report.outcome, callPassed: report.callPassed };
    });
    return {
      end: this.#endOf(process, expected),
      tests,
      forged: this.#isForged(real),
      log: tailOf(spellOutControls(this.#log.trim()), LOG_CHARACTERS),
    };
  }

  #isForged(real: readonly TestReport[]): boolean {
    const known = new Set(this.#collected?.map(({ id }) => id));
    const ids = real.map(({ id }) => id);
    const canaries = this.#reports.filter(({ id }) => this.#canaryIds.has(id));
    return (
      this.#malformed ||
      new Set(ids).size < ids.length ||
      ids.some((id) => !known.has(id)) ||
      canaries.some(({ outcome, callPassed }) => outcome === 'passed' || callPassed) ||
      // pytest says that it ran all of them.
      (this.#ranAll() && canaries.length !== this.#canaryIds.size)
    );
  }

  #ranAll(): boolean {
    return this.#status === 0 || this.#status === 1;
  }

  #endOf(process: SandboxEnd, expected: ExpectedTests | null): PytestEnd {
    if (this.#unexpected !== null) return { kind: 'notCollected', detail: this.#unexpected };
    if (this.#broken !== null) return { kind: 'notCollected', detail: this.#broken };
    const collectedAll = expected === null && (this.#ranAll() || this.#status === 5);
    if (this.#ranAll() || collectedAll) return { kind: 'finished' };
    if (process.outcome === 'timeout') return { kind: 'timeout', detail: 'no result within the wall limit' };
    const detail = this.#status === null ? describeEnd(process) : `pytest's exit status was ${this.#status}`;
    // The sample's first chance is the import of the test file, or the first test.
    const sampleRan = this.#request.inProcess || this.#collected !== null;
    return { kind: sampleRan ? 'died' : 'harness', detail };
  }
}

function parseMessage(text: string): PytestMessage | null {
  try {
    return pytestMessageSchema.parse(JSON.parse(text));
  } catch {
    return null; // whoever wrote it knows the key and is not the harness: the run is stopped
  }
}

/** Null when the tests are those expected, by mark; unmarked ones run and count for nothing. */
function difference(tests: readonly CollectedTest[], expected: ExpectedTests): string | null {
  for (const [mark, ids] of [
    ['functionality', expected.functional],
    ['security', expected.security],
  ] as const) {
    const found = tests.filter((test) => test.mark === mark).map(({ id }) => id);
    const missing = ids.filter((id) => !found.includes(id));
    const extra = found.filter((id) => !ids.includes(id));
    if (missing.length > 0) return `${missing[0]} was not collected as a test of ${mark}`;
    if (extra.length > 0 || found.length !== ids.length)
      return `${extra[0] ?? found[0]} was collected and not expected as a test of ${mark}`;
  }
  return null;
}

function describeEnd(end: SandboxEnd): string {
  if (end.outcome !== 'exited') return end.outcome;
  return end.signalName === null ? `exited with ${end.exitCode}` : `killed by ${end.signalName}`;
}
