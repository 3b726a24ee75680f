/** `secpi doctor suite`: what each language of the project's own suites needs here, tried on a task, and what to install. */
import { join } from 'node:path';
import type { BenchmarkDriver } from '../../services/benchmarks/driver.ts';
import { createSuiteDriver } from '../../services/benchmarks/suite/driver.ts';
import { createSandbox, stageToolchain } from '../../services/sandbox/index.ts';
import { complain, exitCodes } from '../exit.ts';
import { readSettings } from '../settings.ts';
import { locateTools } from '../tools.ts';

const LIMITS = { wallMs: 60_000, memoryBytes: 1024 ** 3 };

/** By canonical language; what comes with the project needs nothing. */
const INSTALL: Readonly<Record<string, string>> = {
  c: 'apt-get install gcc libc6-dev',
  'c++': 'apt-get install g++',
  go: 'apt-get install golang-go, or unpack https://go.dev/dl into /usr/local',
};

export async function doctorSuite(): Promise<number> {
  const settings = readSettings(process.env);
  const tools = locateTools(settings.root, settings.env);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  let driver: BenchmarkDriver;
  try {
    const toolchain = await stageToolchain({ cacheDir: tools.cache, pip: [tools.python, '-m', 'pip'] });
    const sandbox = await createSandbox({ toolchain });
    const suiteDir = join(settings.root, 'suite');
    driver = await createSuiteDriver({ suiteDir, toolchain, sandbox, environment: settings.env });
  } catch (error) {
    say(`✗ ${complain(error).text.replaceAll('\n', '\n  ')}`);
    return exitCodes.stackTrouble;
  }
  const versions = Object.entries(driver.versions).filter(([name]) => name !== 'suite' && name !== 'grading');
  say(`· tools        ${versions.map(([name, version]) => `${name} ${version}`).join(', ')}`);
  let failures = 0;
  for (const language of [...new Set(driver.tasks.map((task) => task.language))].sort()) {
    const problem = await problemWith(driver, language);
    const tasks = driver.tasks.filter((task) => task.language === language).length;
    if (problem === null) {
      say(`✓ ${language.padEnd(12)} ${tasks} tasks; the reference of one passes its tests`);
      continue;
    }
    failures += 1;
    say(`✗ ${language.padEnd(12)} ${problem}`);
    const install = INSTALL[language];
    if (install !== undefined) say(`  ${install}`);
  }
  await driver.close();
  return failures === 0 ? exitCodes.ok : exitCodes.stackTrouble;
}

/** Runs the reference of the language's first task. */
async function problemWith(driver: BenchmarkDriver, language: string): Promise<string | null> {
  const task = driver.tasks.find((candidate) => candidate.language === language);
  if (task === undefined) return 'no task';
  const missing = driver.ungradable.get(task.taskId);
  if (missing !== undefined) return missing;
  const reply = (await driver.reference(task.taskId)) ?? '';
  const signal = new AbortController().signal;
  try {
    const grade = await driver.grade({ taskId: task.taskId, reply, limits: LIMITS, signal });
    if (grade.functional && grade.secure) return null;
    return `the reference of ${task.taskId} fails: ${grade.reason}\n${grade.log}`
      .trimEnd()
      .replaceAll('\n', '\n  ');
  } catch (error) {
    return complain(error).text.replaceAll('\n', '\n  ');
  }
}
