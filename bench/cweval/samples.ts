/** Samples for measurements, made of the checkout's own files: its solutions, its insecure variants, and broken ones. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BenchmarkDriver } from '../../src/services/benchmarks/driver.ts';

export interface MadeSample {
  readonly taskId: string;
  readonly index: number;
  readonly kind: 'reference' | 'insecure' | 'unimportable';
  readonly reply: string;
}

const endings: Readonly<Record<string, string>> = {
  python: 'py',
  javascript: 'js',
  c: 'c',
  'c++': 'cpp',
  go: 'go',
};

/** `generated_0` holds solutions, `generated_1` insecure variants where there are some, and so on in turn. */
export async function makeSamples(
  driver: BenchmarkDriver,
  home: string,
  count: number,
): Promise<MadeSample[]> {
  const samples: MadeSample[] = [];
  for (const { taskId, language } of driver.tasks) {
    if (driver.ungradable.has(taskId)) continue;
    const reference = (await driver.reference(taskId)) ?? '';
    const insecure = await insecureReply(home, taskId, language);
    for (let index = 0; index < count; index += 1) {
      const take = ((): [MadeSample['kind'], string] => {
        if (index % 2 === 0) return ['reference', reference];
        if (insecure !== null) return ['insecure', insecure];
        // Python's insecure variants live in its tests.
        return ['unimportable', '```python\nimport no_such_module\n```\n'];
      })();
      // No two samples of a task are the same text, as with a model.
      const [kind, reply] = take;
      samples.push({ taskId, index, kind, reply: `Sample ${index}.\n\n${reply}` });
    }
  }
  return samples;
}

/** The benchmark's insecure variant as a reply; null where the task ships none. */
export async function insecureReply(home: string, taskId: string, language: string): Promise<string | null> {
  const ending = endings[language] ?? '';
  let text;
  try {
    text = await readFile(join(home, 'benchmark', `${taskId}_unsafe.${ending}`), 'utf8');
  } catch {
    return null;
  }
  const [code = ''] = text.split(/^.*BEGIN ENTRYPOINT.*$/m);
  return code.includes('\n```') ? code : `\`\`\`${ending}\n${code.trimEnd()}\n\`\`\`\n`;
}

/** As upstream's generation leaves them. */
export async function writeSamples(
  dir: string,
  samples: readonly MadeSample[],
  languageOf: ReadonlyMap<string, string>,
): Promise<void> {
  for (const { taskId, index, reply } of samples) {
    const file = join(
      dir,
      `generated_${index}`,
      `${taskId}_raw.${endings[languageOf.get(taskId) ?? ''] ?? ''}`,
    );
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, reply);
  }
}
