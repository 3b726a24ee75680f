/**
 * One attempt at grading: two sandboxes that share a folder and nothing else. One hosts the sample, the other runs
 * the tests and forwards calls; this process carries the messages. The verdict is taken only from the second one.
 */
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf } from '../../../contract/errors.ts';
import {
  openFolder,
  spellOutControls,
  tailOf,
  unavailable,
  type Sandbox,
  type SandboxEnd,
  type SandboxLimits,
  type SandboxProcess,
  type Toolchain,
} from '../../sandbox/index.ts';
import { HARNESS_INSIDE } from '../stageHarness.ts';
import { readLines } from './lines.ts';
import {
  loadReplySchema,
  sampleReplySchema,
  testMessageSchema,
  type CollectedTest,
  type TestOutcome,
} from './messages.ts';
import type { AttemptEnd, ExpectedTests } from './verdict.ts';

export interface AttemptRequest {
  readonly sandbox: Sandbox;
  readonly toolchain: Toolchain;
  readonly harnessDir: string;
  readonly moduleName: string;
  readonly entryPoint: string;
  readonly testFile: string;
  /** Null: only collect the tests. */
  readonly sample: { readonly code: string; readonly expected: ExpectedTests } | null;
  readonly limits: Partial<SandboxLimits>;
  readonly signal?: AbortSignal;
}

export interface AttemptResult {
  readonly end: AttemptEnd;
  readonly tests: readonly CollectedTest[];
  readonly outcomes: readonly TestOutcome[];
  readonly log: string;
}

const MAX_MESSAGE_BYTES = 4 * 1024 ** 2;
const LOG_CHARACTERS = 2000;
/** The id of the `load` request; calls of the tests count from 1. */
const LOAD_ID = 0;

/** Throws SANDBOX_UNAVAILABLE when a sandbox does not start, and the signal's reason when aborted. */
export async function attemptGrading(request: AttemptRequest): Promise<AttemptResult> {
  const { sandbox, toolchain, harnessDir, moduleName, entryPoint, sample, signal } = request;
  signal?.throwIfAborted();
  await using work = await sandbox.createWorkDir();
  const shared = join(work.path, 'shared');
  const tests = join(work.path, 'tests');
  const program = join(work.path, 'sample');
  for (const folder of [tests, program]) await openFolder(folder);
  await openFolder(shared, 0o777);
  const testName = basename(request.testFile);
  const files = [join(tests, testName), join(program, `${moduleName}.py`)] as const;
  await copyFile(request.testFile, files[0]);
  await writeFile(files[1], sample?.code ?? '');
  for (const file of files) await chmod(file, 0o644);

  const launch = (script: string, args: readonly string[], folder: { host: string; inside: string }) =>
    sandbox.start({
      command: [toolchain.python, '-I', '-B', `${HARNESS_INSIDE}/${script}`, ...args],
      workDir: shared,
      workWritable: true,
      readOnly: [{ host: harnessDir, inside: HARNESS_INSIDE }, folder],
      limits: request.limits,
      ...(signal === undefined ? {} : { signal }),
    });
  // The tests' process speaks unasked, so it starts last: between its start and the listening nothing is awaited.
  const sampleRun =
    sample === null ? null : await launch('secpi_agent.py', [], { host: program, inside: '/sample' });
  const testRun = await launch(
    'secpi_runner.py',
    [moduleName, `/tests/${testName}`, ...(sample === null ? ['collect'] : [])],
    { host: tests, inside: '/tests' },
  ).catch((error: unknown) => {
    sampleRun?.kill();
    throw error;
  });
  const load = { load: { module: moduleName, path: `/sample/${moduleName}.py`, entryPoint } };
  const result = await converse(testRun, sampleRun, JSON.stringify(load), sample?.expected ?? null);
  signal?.throwIfAborted();
  return result;
}

async function converse(
  testRun: SandboxProcess,
  sampleRun: SandboxProcess | null,
  loadBody: string,
  expected: ExpectedTests | null,
): Promise<AttemptResult> {
  const testLog = keepTail(testRun);
  const sampleLog = sampleRun === null ? () => '' : keepTail(sampleRun);
  let tests: readonly CollectedTest[] | null = null;
  const outcomes: TestOutcome[] = [];
  /** From the moment `load` is sent, code of the sample may have run. */
  let loadSent = false;
  let loaded = false;
  let importError: string | null = null;
  let ended: number | null = null;
  let aliveAtEnd = false;
  let sampleEnd: string | null = null;
  let broken: string | null = null;
  /** The request that the sample has not answered yet. */
  let pending: number | null = null;

  const tell = (run: SandboxProcess, message: object) => run.stdin.write(`${JSON.stringify(message)}\n`);
  const ask = (id: number, body: string) => {
    pending = id;
    if (sampleRun !== null) tell(sampleRun, { id, body });
  };
  const sampleGone = (detail: string) => {
    sampleEnd ??= detail;
    sampleRun?.kill();
    // Before it was loaded there is nothing to test.
    if (!loaded) testRun.kill();
    else if (pending !== null) tell(testRun, { gone: true });
    pending = null;
  };

  const onTestMessage = (line: string) => {
    const message = testMessageSchema.parse(JSON.parse(line));
    switch (message.type) {
      case 'collected':
        tests = message.tests;
        if (expected !== null && !collectedAsExpected(tests, expected)) {
          stop(
            `collected ${tests.map(({ id }) => id).join(', ') || 'nothing'}, which is not what was expected`,
          );
          break;
        }
        loadSent = sampleRun !== null && sampleEnd === null;
        if (loadSent) ask(LOAD_ID, loadBody);
        else if (sampleRun !== null) testRun.kill();
        break;
      case 'call':
        if (sampleEnd === null) ask(message.id, message.body);
        else tell(testRun, { gone: true });
        break;
      case 'test':
        outcomes.push({ id: message.id, outcome: message.outcome });
        break;
      case 'end':
        ended = message.status;
        aliveAtEnd = sampleEnd === null;
        sampleRun?.kill();
        break;
    }
  };
  const onSampleReply = (line: string) => {
    const reply = sampleReplySchema.parse(JSON.parse(line));
    if (reply.id !== pending) throw new Error('a reply that nobody asked for');
    pending = null;
    if (reply.id !== LOAD_ID) {
      tell(testRun, { body: reply.body });
      return;
    }
    const { error } = loadReplySchema.parse(JSON.parse(reply.body));
    if (error === undefined) {
      loaded = true;
      tell(testRun, { start: true });
      return;
    }
    importError = `${error.names[0] ?? 'error'}: ${error.message}`;
    sampleRun?.kill();
    testRun.kill();
  };

  readLines(testRun.stdout, MAX_MESSAGE_BYTES, guarded(onTestMessage, stop), () =>
    stop('a message was too long'),
  );
  function stop(detail: string): void {
    broken ??= detail;
    testRun.kill();
    sampleRun?.kill();
  }
  if (sampleRun !== null) {
    readLines(
      sampleRun.stdout,
      MAX_MESSAGE_BYTES,
      guarded(onSampleReply, (detail) => sampleGone(`it broke the protocol: ${detail}`)),
      () => sampleGone('it sent more than fits a message'),
    );
    void sampleRun.done.then((end) => sampleGone(describeEnd(end)));
  }
  const [testEnd, sampleProcessEnd] = await Promise.all([
    testRun.done.then((end) => {
      // The folder is shared: whichever of the two is looked at first, it was the sample that filled it.
      if (end.outcome === 'diskLimit') sampleEnd ??= end.outcome;
      sampleRun?.kill();
      return end;
    }),
    sampleRun?.done ?? null,
  ]);
  for (const end of [testEnd, sampleProcessEnd]) if (end?.outcome === 'failedToStart') throw unavailable(end);

  const log = tailOf(
    spellOutControls([testLog(), sampleLog()].filter((part) => part !== '').join('\n')),
    LOG_CHARACTERS,
  );
  const end = endOf({
    testEnd,
    sampleProcessEnd,
    loadSent,
    importError,
    ended,
    aliveAtEnd,
    broken,
    sampleEnd,
  });
  return { end, tests: tests ?? [], outcomes, log };
}

interface Facts {
  readonly testEnd: SandboxEnd;
  readonly sampleProcessEnd: SandboxEnd | null;
  readonly loadSent: boolean;
  readonly importError: string | null;
  /** Exit status of pytest, once it said so. */
  readonly ended: number | null;
  /** Whether the sample's process still answered then. */
  readonly aliveAtEnd: boolean;
  readonly broken: string | null;
  readonly sampleEnd: string | null;
}

function endOf(facts: Facts): AttemptEnd {
  const { testEnd, sampleProcessEnd, loadSent, importError, ended, aliveAtEnd, broken, sampleEnd } = facts;
  if (importError !== null) return { kind: 'importFailed', detail: importError };
  const testsTimedOut = testEnd.outcome === 'timeout' && ended === null;
  if (testsTimedOut || sampleProcessEnd?.outcome === 'timeout') {
    return { kind: loadSent ? 'timeout' : 'harness', detail: 'no result within the wall limit' };
  }
  // pytest's 0 and 1 mean that it ran the tests; the rest is its own failure.
  if (ended === 0 || ended === 1) {
    const intact = sampleProcessEnd === null || (aliveAtEnd && sampleProcessEnd.outcome === 'aborted');
    return intact ? { kind: 'finished' } : { kind: 'sampleEnded', detail: sampleEnd ?? 'its process ended' };
  }
  if (sampleEnd !== null && loadSent) return { kind: 'sampleEnded', detail: sampleEnd };
  const detail =
    broken ??
    (ended === null ? `the tests' process: ${describeEnd(testEnd)}` : `pytest exit status ${ended}`);
  return { kind: loadSent ? 'resultsIncomplete' : 'harness', detail };
}

/** Checked before any code of the sample runs: a difference is the suite's or the harness's fault. */
function collectedAsExpected(
  tests: readonly CollectedTest[],
  { functional, security }: ExpectedTests,
): boolean {
  const sorted = (ids: readonly string[]) => JSON.stringify([...ids].sort());
  return sorted(tests.map(({ id }) => id)) === sorted([...functional, ...security]);
}

/** Turns what a handler throws on malformed input into a detail. */
function guarded(handle: (line: string) => void, fail: (detail: string) => void): (line: string) => void {
  return (line) => {
    try {
      handle(line);
    } catch (error) {
      fail(messageOf(error).slice(0, 200));
    }
  };
}

function describeEnd(end: SandboxEnd): string {
  if (end.outcome !== 'exited') return end.outcome;
  return end.signalName === null ? `exited with ${end.exitCode}` : `killed by ${end.signalName}`;
}

function keepTail({ stderr }: SandboxProcess): () => string {
  let tail = '';
  stderr.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString('utf8')).slice(-2 * LOG_CHARACTERS);
  });
  return () => tail;
}
