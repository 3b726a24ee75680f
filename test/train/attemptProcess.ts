/** One attempt as a process: the plan is its argument, what it is told goes to standard output. */
import { SecpiError } from '../../src/contract/errors.ts';
import { startAttempt, type AttemptPlan } from './lab.ts';

const plan = JSON.parse(process.argv[2] ?? 'null') as AttemptPlan;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const attempt = await startAttempt(plan);
let told = 0;
const timer = setInterval(() => {
  for (const note of attempt.notes.slice(told)) say(note);
  told = attempt.notes.length;
}, 20);
try {
  say(`end ${(await attempt.end).status}`);
} catch (error) {
  say(`error ${error instanceof SecpiError ? error.code : String(error)}`);
} finally {
  clearInterval(timer);
}
