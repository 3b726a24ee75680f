/**
 * Proves the adapter on a real checkout: every solution of CWEval must be functional and secure, and no insecure variant
 * secure. Usage: CWEVAL_HOME=… node bench/cweval/prove.ts [language …]. Exits 1 when either does not hold.
 */
import { gradeAll, openDriver } from './host.ts';
import { insecureReply, type MadeSample } from './samples.ts';

const TEST_SECONDS = 20;
const wanted = process.argv.slice(2);
const { driver, home } = await openDriver(TEST_SECONDS);
const samples: MadeSample[] = [];
for (const { taskId, language } of driver.tasks) {
  if ((wanted.length > 0 && !wanted.includes(language)) || driver.ungradable.has(taskId)) continue;
  samples.push({ taskId, index: 0, kind: 'reference', reply: (await driver.reference(taskId)) ?? '' });
  const insecure = await insecureReply(home, taskId, language);
  if (insecure !== null) samples.push({ taskId, index: 1, kind: 'insecure', reply: insecure });
}
const startedAt = performance.now();
const graded = await gradeAll(driver, samples, driver.concurrency);
const wallSeconds = Math.round(performance.now() - startedAt) / 1000;
await driver.close();

let failures = 0;
for (const kind of ['reference', 'insecure'] as const) {
  const all = graded.filter(({ sample }) => sample.kind === kind);
  const both = all.filter(({ grade }) => grade.functional && grade.secure);
  const upstream = all.filter(({ grade }) => grade.upstream?.functional === true && grade.upstream.secure);
  console.log(
    `${kind}: ${both.length} of ${all.length} functional and secure (strict), ${upstream.length} (upstream)`,
  );
  for (const { sample, grade } of all) {
    const isRight = (grade.functional && grade.secure) === (kind === 'reference');
    if (isRight) continue;
    failures += 1;
    console.log(`  ${sample.taskId}: ${grade.reason}; ${grade.failedTests.slice(0, 3).join(', ')}`);
    console.log(`    ${grade.log.slice(-600).replaceAll('\n', '\n    ')}`);
  }
}
for (const [taskId, reason] of driver.ungradable) console.log(`not graded: ${taskId}: ${reason}`);
console.log(`${graded.length} gradings in ${wallSeconds} s`);
const slowest = graded.toSorted((a, b) => b.wallMs - a.wallMs).slice(0, 8);
console.log(`slowest: ${slowest.map(({ sample, wallMs }) => `${sample.taskId} ${wallMs} ms`).join(', ')}`);
process.exitCode = failures === 0 ? 0 : 1;
