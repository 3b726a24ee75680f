/** Which files of a folder in Hugging Face style hold the rows. Pure. */
import { readCard } from './frontMatter.ts';
import { empty, unreadable } from './unreadable.ts';

export type DataFormat = 'jsonl' | 'json' | 'parquet';

export const CARD_NAME = 'README.md';

export interface Layout {
  readonly format: DataFormat;
  /** In the order in which they are read. */
  readonly names: readonly string[];
  readonly license: string | null;
}

/**
 * The files that the card's default configuration gives for the split `train` (for all splits where none is called so);
 * without a card, `data/*.parquet`, `*.parquet`, `data/*.jsonl` or `*.jsonl`, and of those only the ones called train
 * where some are. Names are in order of code units. DATASET_EMPTY, DATASET_UNREADABLE.
 */
export function chooseFiles(
  names: readonly string[],
  { card, format, where }: { card: string | null; format: DataFormat | undefined; where: string },
): Layout {
  const { license, dataFiles } = card === null ? { license: null, dataFiles: [] } : readCard(card);
  const train = dataFiles.filter(({ split }) => split === 'train');
  const patterns = (train.length > 0 ? train : dataFiles).flatMap(({ paths }) => paths);
  const chosen = patterns.length > 0 ? matching(names, patterns, where) : conventional(names, format);
  const formats = new Set(chosen.map((name) => format ?? formatOfName(name)));
  const [first] = formats;
  if (first === undefined) {
    const seen = names.length === 0 ? 'nothing' : names.slice(0, 5).join(', ');
    throw empty(`${where} has no *.parquet and no *.jsonl, at its top or in data/: it holds ${seen}.`);
  }
  if (first === null || formats.size > 1) {
    throw unreadable(`${where} has files of several formats: ${chosen.slice(0, 5).join(', ')}.`, {
      field: 'dataset.format',
      remedy: 'Set dataset.format, or name the files under configs in the front matter of README.md.',
    });
  }
  return { format: first, names: chosen, license };
}

/** By the ending, with or without a compression's; null where it does not tell. */
export function formatOfName(name: string): DataFormat | null {
  const ending = /\.(jsonl|ndjson|json|parquet)(?:\.(?:gz|zst|zstd))?$/iu.exec(name)?.[1]?.toLowerCase();
  if (ending === 'jsonl' || ending === 'ndjson') return 'jsonl';
  return ending === 'json' || ending === 'parquet' ? ending : null;
}

/** A lone *.json in a folder is rather a description than data, so it is taken only when the recipe says so. */
function conventional(names: readonly string[], format: DataFormat | undefined): string[] {
  const isData = (name: string): boolean => {
    const own = formatOfName(name);
    return format === undefined ? own === 'jsonl' || own === 'parquet' : own === format;
  };
  const inData = names.filter((name) => /^data\/[^/]+$/u.test(name) && isData(name));
  const all = inData.length > 0 ? inData : names.filter((name) => !name.includes('/') && isData(name));
  const train = all.filter((name) => /(?:^|[^a-z])train(?:[^a-z]|$)/iu.test(name));
  return (train.length > 0 ? train : all).sort();
}

function matching(names: readonly string[], patterns: readonly string[], where: string): string[] {
  const chosen = new Set<string>();
  for (const pattern of patterns) {
    const expression = globExpression(pattern.replace(/^\.?\//u, ''));
    const found = names.filter((name) => expression.test(name)).sort();
    if (found.length === 0) {
      throw unreadable(`README.md names ${pattern}, which is not in ${where}.`, {
        remedy: 'Complete the folder, or correct data_files in the front matter.',
      });
    }
    for (const name of found) chosen.add(name);
  }
  return [...chosen];
}

/** `*` and `?` stay within a folder, `**` does not; `[…]` is one character of a set. */
export function globExpression(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/|\*\*|\*|\?|\[[^\]/]+\]|[^*?[]+|\[/gu, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (token.length > 2 && token.startsWith('['))
      return `[${token.slice(1, -1).replace(/^!/u, '^').replaceAll('\\', '\\\\')}]`;
    return token.replaceAll(/[\\^$.|?*+()[\]{}]/gu, '\\$&');
  });
  return new RegExp(`^${source}$`, 'su');
}
