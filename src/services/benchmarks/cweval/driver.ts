/** CWEval as this machine can drive it: the user's checkout does the asking, the parsing, the building and the testing. */
import { availableParallelism } from 'node:os';
import { SecpiError } from '../../../contract/errors.ts';
import type { BenchmarkDriver } from '../driver.ts';
import type { CwevalCheckout } from './checkout.ts';
import { CWEVAL_GRADE_VERSION, gradeReply } from './gradeReply.ts';
import { WarmHosts } from '../warm/index.ts';
import { createReplyParser } from './parser.ts';
import { setUpCweval, type CwevalOptions } from './setUp.ts';
import { referenceReply, type CwevalTask } from './tasks.ts';
import type { CwevalTools } from './tools.ts';

/**
 * The first call for a checkout and a set of tools takes minutes, see setUp.ts.
 * @throws SecpiError BENCHMARK_UNAVAILABLE with field and remedy; SANDBOX_UNAVAILABLE.
 */
export async function createCwevalDriver(options: CwevalOptions): Promise<BenchmarkDriver> {
  const { sandbox, toolchain, settings } = options;
  const { checkout, tools, tasks, modules, preparation, ungradable } = await setUpCweval(options);
  const byId = new Map(tasks.map((task) => [task.row.taskId, task]));
  const parser = createReplyParser({ sandbox, toolchain, checkout, tools });
  const concurrency = availableParallelism() + 1;
  const warm = new WarmHosts({ sandbox, toolchain, most: concurrency });
  const { testSeconds } = settings;
  const context = { sandbox, toolchain, checkout, tools, preparation, testSeconds, warm, modules };
  return {
    name: 'cweval',
    measures: 'functionAndSecurity',
    tasks: tasks.map(({ row }) => row),
    versions: versionsOf(checkout, tools, testSeconds),
    hasUpstreamFigure: true,
    ungradable,
    concurrency,
    reference: (taskId) => Promise.resolve(referenceReply(taskOf(byId, taskId))),
    grade: async (request) => {
      const reason = ungradable.get(request.taskId);
      if (reason !== undefined)
        throw new SecpiError('BENCHMARK_UNAVAILABLE', `${request.taskId} cannot be graded here: ${reason}.`, {
          remedy: '`npx secpi doctor cweval` says what to install.',
        });
      return await gradeReply(context, parser, taskOf(byId, request.taskId), request);
    },
    close: async () => {
      await Promise.all([parser.close(), warm.close()]);
    },
  };
}

function taskOf(tasks: ReadonlyMap<string, CwevalTask>, taskId: string): CwevalTask {
  const task = tasks.get(taskId);
  if (task === undefined)
    throw new SecpiError('SAMPLES_INVALID', `CWEval has no task "${taskId}".`, { field: 'taskId' });
  return task;
}

function versionsOf(
  checkout: CwevalCheckout,
  tools: CwevalTools,
  testSeconds: number,
): Record<string, string> {
  const { python, node, go, goimports, gcc, gpp } = tools;
  const entries = Object.entries({
    cweval: checkout.version,
    cwevalContent: checkout.contentSha256,
    grading: String(CWEVAL_GRADE_VERSION),
    testSeconds: String(testSeconds),
    python: python?.version,
    pythonPackages: python?.packages.join(', '),
    node: node?.version,
    go: go?.version,
    goimports: goimports?.version,
    gcc: gcc?.version,
    'g++': gpp?.version,
  });
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
