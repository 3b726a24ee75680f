/**
 * Entry of a child process that runs all hostile programs as an ordinary user and prints one JSON line for each:
 * `{name, problems}`. Arguments: the toolchain as JSON.
 */
import type { Toolchain } from '../../src/services/sandbox/index.ts';
import { openConformance } from './conformance.ts';
import { HOSTILE_PROGRAMS } from './hostilePrograms.ts';

const toolchain = JSON.parse(process.argv[2] ?? '') as Toolchain;
await using conformance = await openConformance(toolchain);
for (const program of HOSTILE_PROGRAMS) {
  const problems = await conformance.attack(program);
  process.stdout.write(`${JSON.stringify({ name: program.name, uid: process.getuid?.(), problems })}\n`);
}
