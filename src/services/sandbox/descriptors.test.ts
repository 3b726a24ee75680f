import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('finds a high descriptor that the launcher left open, and covers it', () => {
  const script = `
    import { coverInherited, inheritableDescriptors } from ${JSON.stringify(join(import.meta.dirname, 'descriptors.ts'))};
    const entries = coverInherited(6);
    console.log(JSON.stringify([inheritableDescriptors(6), entries.length, typeof entries.at(-1)]));`;
  // A shell opens descriptor 61 without close-on-exec, as a CI runner may.
  const bash = ['-c', 'exec 61</dev/zero; exec "$0" --input-type=module -e "$1"', process.execPath, script];
  const [found, length, last] = JSON.parse(execFileSync('bash', bash, { encoding: 'utf8' }));
  expect(found).toContain(61);
  expect(length).toBeGreaterThanOrEqual(61 - 6 + 1);
  expect(last).toBe('number');
});
