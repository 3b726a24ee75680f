import { describe, expect, it } from 'vitest';
import { SecpiError } from '../../contract/errors.ts';
import { chooseFiles, formatOfName, globExpression } from './folder.ts';
import { readCard } from './frontMatter.ts';

const card = (...yaml: string[]): string => ['---', ...yaml, '---', '# Title', 'configs: none'].join('\n');

describe('the front matter of a card', () => {
  it.each<[string, string[], string | null]>([
    ['a bare text', ['license: apache-2.0'], 'apache-2.0'],
    ['quotes and a comment', ['license: "cc-by-4.0"  # as the sources'], 'cc-by-4.0'],
    ['a list', ['license:', '- mit', '- cc0-1.0'], 'mit, cc0-1.0'],
    ['an indented list', ['license:', '  - mit'], 'mit'],
    ['a list in brackets', ["license: [mit, 'cc0-1.0']"], 'mit, cc0-1.0'],
    ['none', ['language:', '- en', 'tags: [code]'], null],
    ['an empty one', ['license:', 'pretty_name: X'], null],
  ])('gives the licence from %s', (_, yaml, license) => {
    expect(readCard(card(...yaml))).toEqual({ license, dataFiles: [] });
  });

  it.each<[string, string[], unknown]>([
    [
      'splits',
      [
        'dataset_info:',
        '  features:',
        '  - name: question',
        "    dtype: {weird: 'yaml: [', x}",
        'configs:',
        '- config_name: default',
        '  data_files:',
        '  - split: train',
        '    path: data/train-*',
        '  - split: test',
        '    path:',
        '    - data/test-*',
        '    - "extra/*.jsonl"',
      ],
      [
        { split: 'train', paths: ['data/train-*'] },
        { split: 'test', paths: ['data/test-*', 'extra/*.jsonl'] },
      ],
    ],
    ['a text', ['configs:', '  - data_files: all.jsonl'], [{ split: null, paths: ['all.jsonl'] }]],
    [
      'a list of texts',
      ['configs:', '- data_files:', '  - a.jsonl', '  - b.jsonl', '  config_name: x'],
      [
        { split: null, paths: ['a.jsonl'] },
        { split: null, paths: ['b.jsonl'] },
      ],
    ],
    [
      'the default of several configurations',
      [
        'configs:',
        '- config_name: one',
        '  data_files: 1.jsonl',
        '- config_name: two',
        '  data_files: 2.jsonl',
        '  default: true',
      ],
      [{ split: null, paths: ['2.jsonl'] }],
    ],
  ])('gives data files from %s', (_, yaml, dataFiles) => {
    expect(readCard(card(...yaml)).dataFiles).toEqual(dataFiles);
  });

  it.each([
    ['no front matter', '# Title\nlicense: mit'],
    ['nothing', ''],
    ['an empty one', '---\n---\n'],
  ])('may be %s', (_, text) => {
    expect(readCard(text)).toEqual({ license: null, dataFiles: [] });
  });

  it.each([
    ['license: mit\nlicense: apache-2.0', 3],
    ['just words', 2],
    ['configs:\n- data_files:\n\t- a', 4],
    ['configs:\n    - data_files: a\n  - data_files: b', 4],
    ['license: [mit', 2],
    ['license: "mit', 2],
  ])('is refused with its line: %j', (yaml, line) => {
    expect(() => readCard(card(yaml))).toThrow(new RegExp(`DATASET_UNREADABLE.*broken in line ${line}`, 'u'));
  });
});

describe('the files of a folder', () => {
  const choose = (names: string[], text: string | null = null) =>
    chooseFiles(names, { card: text, format: undefined, where: 'here' });

  it.each<[string[], string[]]>([
    [
      ['b.jsonl', 'a.jsonl'],
      ['a.jsonl', 'b.jsonl'],
    ],
    [
      ['10.jsonl', '9.jsonl'],
      ['10.jsonl', '9.jsonl'],
    ],
    [['a.parquet', 'data/x.parquet', 'deep/er/y.parquet'], ['data/x.parquet']],
    [
      ['data/test-0.parquet', 'data/train-1.parquet', 'data/train-0.parquet'],
      ['data/train-0.parquet', 'data/train-1.parquet'],
    ],
    [
      ['training.jsonl', 'test.jsonl'],
      ['test.jsonl', 'training.jsonl'],
    ],
    [['rows.ndjson.gz', 'info.json', 'README.md'], ['rows.ndjson.gz']],
  ])('of %j are %j', (names, chosen) => {
    expect(choose(names).names).toEqual(chosen);
  });

  it('are those of the split train, in the order of the patterns', () => {
    const text = card(
      'configs:',
      '- data_files:',
      '  - split: train',
      '    path: [z/*.jsonl, "a/**"]',
      '  - split: test',
      '    path: t.jsonl',
    );
    expect(choose(['a/b/c.jsonl', 't.jsonl', 'z/1.jsonl', 'a/0.jsonl'], text)).toMatchObject({
      format: 'jsonl',
      names: ['z/1.jsonl', 'a/0.jsonl', 'a/b/c.jsonl'],
    });
  });

  it('that a card names may have any ending where the recipe tells the format', () => {
    const text = card('configs:', '- data_files: rows.txt');
    expect(() => choose(['rows.txt'], text)).toThrow(SecpiError);
    const given = chooseFiles(['rows.txt'], { card: text, format: 'jsonl', where: 'here' });
    expect(given.names).toEqual(['rows.txt']);
  });

  it.each([
    ['a.JSONL', 'jsonl'],
    ['a.json.zst', 'json'],
    ['a.parquet', 'parquet'],
    ['jsonl', null],
    ['a.csv', null],
  ])('have a format by their name: %s', (name, format) => {
    expect(formatOfName(name)).toBe(format);
  });

  it.each<[string, string, boolean]>([
    ['data/*.parquet', 'data/a.parquet', true],
    ['data/*.parquet', 'data/x/a.parquet', false],
    ['**/*.parquet', 'a.parquet', true],
    ['**/*.parquet', 'x/y/a.parquet', true],
    ['data/train-[0-9][0-9]-of-?.parquet', 'data/train-07-of-9.parquet', true],
    ['data/[!t]*', 'data/test', false],
    ['a+(b).jsonl', 'a+(b).jsonl', true],
    ['a.jsonl', 'abjsonl', false],
  ])('match patterns: %s, %s: %s', (pattern, name, isMatch) => {
    expect(globExpression(pattern).test(name)).toBe(isMatch);
  });
});
