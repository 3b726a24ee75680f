import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDecontaminator, loadEvaluationTexts, type EvaluationText } from './index.ts';

const prompt =
  'Write a function that takes the name of a station and a day, and returns the list of all trains that leave it before noon, sorted by platform.';
const code = `def trains(station, day):
    rows = load_table(station)  # one row a train
    early = [row for row in rows if row.day == day and row.leaves < NOON]
    early.sort(key=lambda row: row.platform)
    return [row.number for row in early]
`;
const short = 'Return the platform of the first train.';

const text = (task: string, part: string | null, content: string): EvaluationText => ({
  task,
  part,
  text: content,
  group: task,
});

describe('check', () => {
  const evaluation = [
    text('set/1', 'prompt', prompt),
    text('set/1', 'reference', code),
    text('set/2', null, short),
    // The same thirteen words and more in five tasks: a licence.
    ...[3, 4, 5, 6, 7].map((n) =>
      text(
        `set/${n}`,
        'reference',
        `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and its documentation. Tale ${'abcdefgh'.repeat(n)} of number ${n}.`,
      ),
    ),
    text('set/8', 'reference', 'const digits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];'),
    text('set/9', null, '与えられた文字列を逆順にして返す関数を書いてください'),
  ];
  const { check, texts, contentSha256 } = createDecontaminator(evaluation);
  const words = prompt.split(' ');
  const replaced = (positions: readonly number[]): string =>
    words.map((word, at) => (positions.includes(at) ? 'instead' : word)).join(' ');

  it.each([
    ['a copy', prompt, 'set/1', 'copy of set/1 (prompt)'],
    ['a copy within blanks', `\n  ${short}\n`, 'set/2', 'copy of set/2'],
    [
      'other case, blanks and punctuation',
      'RETURN the platform,\nof the "first" train!',
      'set/2',
      'copy of set/2 but for case, blanks, punctuation or comments',
    ],
    [
      'other comments',
      code
        .replace('# one row a train', '# the timetable of the station')
        .replace('    return', '    # done\n    return'),
      'set/1',
      'copy of set/1 (reference) but for case, blanks, punctuation or comments',
    ],
    [
      'thirteen words in a row',
      `Hello. ${words.slice(5, 18).join(' ')}? No idea.`,
      'set/1',
      '13-gram of set/1 (prompt)',
    ],
    [
      'thirteen words in a row but for comments between',
      'early = [row for row in rows # note\n if row.day == day # note\n and row.leaves < NOON]',
      'set/1',
      '13-gram of set/1 (reference)',
    ],
    ['Japanese, which has no blanks', 'まず与えられた文字列を逆順にして返す', 'set/9', '13-gram of set/9'],
  ])('finds %s', (_, given, task, how) => {
    expect(check(given)).toEqual({ task, how });
  });

  it('finds what is alike as a whole without thirteen words in a row', () => {
    // One word of every 13 replaced: half of the 5-grams are left in short texts, so the text is long.
    const long = Array.from({ length: 400 }, (_, i) => `w${(i * 7919) % 1009}x`);
    const edited = long.map((word, at) => (at % 50 === 25 ? 'instead' : word)).join(' ');
    const few = createDecontaminator([text('set/long', 'prompt', long.join(' '))]);
    expect(few.check(edited)?.how).toBe('13-gram of set/long (prompt)');
    const five = createDecontaminator(
      // As boilerplate the 13-grams do not count; the likeness still does.
      Array.from({ length: 5 }, (_, n) => text(`set/${n}`, 'prompt', `${long.join(' ')} end${n}`)),
    );
    expect(five.check(edited)?.how).toMatch(/^0\.8\d like set\/\d \(prompt\)$/);
    const halfEdited = long.map((word, at) => (at % 10 === 5 ? 'instead' : word)).join(' ');
    expect(five.check(halfEdited)).toBeNull();
  });

  it.each([
    ['twelve words in a row', `Hello. ${words.slice(5, 17).join(' ')}? No idea.`],
    ['every twelfth word replaced', replaced([4, 12, 20])],
    ['a short text within another', `${short} Then return the last one as well.`],
    ['the words in another order', words.toReversed().join(' ')],
    [
      'a licence that many tasks carry',
      'Permission is hereby granted, free of charge, to any person obtaining a copy of this software. Write a parser.',
    ],
    ['a list of numbers', 'Sum up 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 and 16.'],
    ['twelve Japanese characters', 'まず与えられた文字列を逆順に'],
    ['only a comment', '# Return the platform of the second train.'],
    ['nothing', ''],
  ])('passes %s', (_, given) => {
    expect(check(given)).toBeNull();
  });

  it('takes time in proportion to the length, whatever the text is made of', () => {
    const started = performance.now();
    for (const piece of ['/*', '<!--', '# ', '// ', 'a ', '\u{1F600} ']) check(piece.repeat(200_000));
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('is named by its content, in any order', () => {
    expect(texts).toBe(evaluation.length);
    expect(createDecontaminator(evaluation.toReversed()).contentSha256).toBe(contentSha256);
    expect(createDecontaminator(evaluation.slice(1)).contentSha256).not.toBe(contentSha256);
  });

  it('passes everything when there is nothing to compare with', () => {
    const none = createDecontaminator([]);
    expect([none.texts, none.check(prompt), none.check('')]).toEqual([0, null, null]);
  });
});

describe('loadEvaluationTexts', () => {
  let dir = '';
  const suiteDir = path.resolve(import.meta.dirname, '../../../suite');
  const load = async (names: readonly string[], environment: Record<string, string> = {}) =>
    await loadEvaluationTexts(names, { suiteDir, environment, baseDir: dir });

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'evaluation-'));
    const write = async (file: string, content: string): Promise<void> => {
      await mkdir(path.dirname(path.join(dir, file)), { recursive: true });
      await writeFile(path.join(dir, file), content);
    };
    // The layouts of the two checkouts, with texts of our own.
    const task = `import os\n# BEGIN PROMPT\n# ${prompt}\n# BEGIN SOLUTION\n${code}`;
    await write('cweval/benchmark/core/py/cwe_022_0_task.py', task);
    await write('cweval/benchmark/core/py/cwe_022_0_unsafe.py', 'def leave_the_door_open(): pass');
    await write('cweval/benchmark/core/py/cwe_022_0_test.py', 'def test_that_trains_leave(): assert True');
    await write(
      'cweval/benchmark/core/js/cwe_022_0_js_task.js',
      `// BEGIN PROMPT\n// ${prompt}\n// BEGIN SOLUTION\n`,
    );
    await write(
      'cweval/benchmark/__init__.py',
      '# one two three four five six seven eight nine ten eleven twelve thirteen',
    );
    await write('baxbench/src/scenarios/trains.py', `SPEC = """\n${prompt}\n"""\n`);
    await write('baxbench/src/scenarios/base.py', 'class Scenario: """What all scenarios share."""');
    await write('mine.jsonl', `${JSON.stringify({ id: 7, text: prompt })}\n\n`);
    await write('bad.jsonl', `${JSON.stringify({ id: 7, text: prompt })}\n{"id": 8}\n`);
    await write('empty.jsonl', '\n');
  });
  afterAll(async () => await rm(dir, { recursive: true }));

  it.each([
    ['cweval', `Say: ${prompt}`, /^13-gram of cweval\/core\/\w+\/cwe_022_0\w* \((prompt|reference)\)$/],
    ['cweval', code, /^13-gram of cweval\/core\/py\/cwe_022_0 \(reference\)$/],
    [
      'cweval',
      'def leave_the_door_open():\n  pass',
      /^copy of cweval\/core\/py\/cwe_022_0 \(insecure variant\) but/,
    ],
    [
      'cweval',
      'def test_that_trains_leave(): assert True',
      /^copy of cweval\/core\/py\/cwe_022_0 \(tests\)$/,
    ],
    ['baxbench', prompt, /^copy of baxbench\/trains \(specification\)$/],
    ['mine.jsonl', prompt.toUpperCase(), /^copy of mine\.jsonl\/7 but for case/],
  ])('%s', async (name, given, how) => {
    const environment = { CWEVAL_HOME: path.join(dir, 'cweval'), BAXBENCH_HOME: path.join(dir, 'baxbench') };
    const { check } = await load([name], environment);
    expect(check(given)?.how).toMatch(how);
    expect(check('one two three four five six seven eight nine ten eleven twelve thirteen')).toBeNull();
    expect(check('class Scenario: """What all scenarios share."""')).toBeNull();
  });

  it('knows the suites: prompts, references and insecure variants', async () => {
    const { check, texts } = await load(['suite']);
    // Five of each task of the suite, and four of each of the guard suite, which has no insecure variants.
    expect(texts).toBe(60 * 5 + 24 * 4);
    expect(check('The diary entry is in the file folder + "/" + title + ".txt". Return its text.')).toEqual({
      task: 'suite/core/py/cwe_022_0',
      how: 'copy of suite/core/py/cwe_022_0 (prompt)',
    });
  });

  it.each([
    [['suite', 'cweval'], 'needs CWEVAL_HOME', 'dataset.decontaminate[1]'],
    [['baxbench'], 'needs BAXBENCH_HOME', 'dataset.decontaminate[0]'],
    [['nowhere.jsonl'], 'cannot be read', 'dataset.decontaminate[0]'],
    [['bad.jsonl'], 'line 2', 'dataset.decontaminate[0]'],
    [['empty.jsonl'], 'holds no evaluation text', 'dataset.decontaminate[0]'],
  ])('refuses %j: %s', async (names, problem, field) => {
    const message = expect.stringContaining(problem) as string;
    await expect(load(names)).rejects.toMatchObject({ code: 'EVALUATION_SET_MISSING', field, message });
  });

  it('refuses a folder that is no checkout', async () => {
    await expect(load(['cweval'], { CWEVAL_HOME: dir })).rejects.toMatchObject({
      code: 'EVALUATION_SET_MISSING',
      field: 'dataset.decontaminate[0]',
    });
  });
});
