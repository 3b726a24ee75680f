/**
 * Entry of a child process that runs all hostile programs as an ordinary user and prints one JSON line for each:
 * `{name, uid, problems}`; then it grades an honest and a forged sample. Arguments: the toolchain as JSON.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gradePythonSample } from '../../src/services/benchmarks/grading/index.ts';
import type { Toolchain } from '../../src/services/sandbox/index.ts';
import { openConformance } from './conformance.ts';
import { FORGED_TEST_FILE, FORGED_TESTS, HONEST_SAMPLE } from './forgedSamples.ts';
import { HOSTILE_PROGRAMS } from './hostilePrograms.ts';

const toolchain = JSON.parse(process.argv[2] ?? '') as Toolchain;
await using conformance = await openConformance(toolchain);
for (const program of HOSTILE_PROGRAMS) {
  const problems = await conformance.attack(program);
  process.stdout.write(`${JSON.stringify({ name: program.name, uid: process.getuid?.(), problems })}\n`);
}

const { sandbox } = conformance;
await using work = await sandbox.createWorkDir();
const testFile = join(work.path, 'read_upload_test.py');
await writeFile(testFile, FORGED_TEST_FILE);
const task = {
  id: 'user',
  entryPoint: 'read_upload',
  testFile,
  moduleName: 'read_upload_task',
  expectedTests: FORGED_TESTS,
};
for (const code of [HONEST_SAMPLE, 'import os\nos._exit(0)\n']) {
  const { functional, secure, unknown } = await gradePythonSample({
    sandbox,
    toolchain,
    task,
    code,
    limits: { wallMs: 20_000 },
  });
  process.stdout.write(`${JSON.stringify({ functional, secure, unknown })}\n`);
}
