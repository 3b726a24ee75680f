/** One reply → the strict verdict and upstream's, from one run where both take the same code out of it. */
import { tailOf } from '../../sandbox/index.ts';
import type { DriverGrade, DriverRequest } from '../driver.ts';
import { extractCode } from '../suite/extract.ts';
import type { ReplyParser } from './parser.ts';
import { runProgram, type ProgramContext } from './runProgram.ts';
import type { CwevalTask } from './tasks.ts';
import { needsUpstreamRun, strictVerdict, upstreamVerdict, type ProgramRun } from './verdict.ts';

/** Raised by hand when the same reply can get another verdict. */
export const CWEVAL_GRADE_VERSION = 2;

/** Of the tests; what a compiler says comes before it, and is cut on its own. */
const LOG_CHARACTERS = 2500;

export async function gradeReply(
  context: ProgramContext,
  parser: ReplyParser,
  task: CwevalTask,
  { reply, limits, signal }: DriverRequest,
): Promise<DriverGrade> {
  signal.throwIfAborted();
  const extracted = extractCode(reply, task.row.language, task.row.entryPoint);
  const { code } = extracted;
  const raw = `${task.folder}/${task.taskFile.replace('_task.', '_raw.')}`;
  const parsed = await parser.parse({ raw, reply, code });
  signal.throwIfAborted();
  const run = (text: string, asUpstream: boolean): Promise<ProgramRun> =>
    runProgram(context, { task, text, asUpstream, limits, signal });
  const inProcess = task.language === 'py';

  const strictRun = parsed.strict === null ? null : await run(parsed.strict, false);
  const shared =
    strictRun !== null && parsed.strict === parsed.upstream && !(inProcess && needsUpstreamRun(strictRun));
  const upstreamRun = shared ? strictRun : await run(parsed.upstream, true);
  const upstream = upstreamVerdict(upstreamRun, task.expected);
  if (strictRun === null) {
    const reason = 'reason' in extracted ? extracted.reason : 'noCodeBlock';
    return { ...nothing, reason, failedTests: [], upstream, code: null, log: '' };
  }
  return {
    extractable: true,
    foundCwes: [],
    ...strictVerdict(strictRun, task.expected, inProcess),
    upstream,
    code,
    log: logOf(strictRun),
  };
}

const nothing = {
  extractable: false,
  functional: false,
  secure: false,
  unknown: false,
  timedOut: false,
  foundCwes: [],
} as const;

function logOf({ compiled, pytest }: ProgramRun): string {
  const said = compiled?.ok === false ? [compiled.log.trim()] : [];
  return [...said, tailOf(pytest.log.trim(), LOG_CHARACTERS)].join('\n');
}
