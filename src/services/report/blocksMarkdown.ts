/** Blocks as Markdown (GitHub's tables). */
import type { Block, Cell, Row } from './blocks.ts';
import { visibleLine } from './visible.ts';

/** Lines, a blank one after each block. `level` is that of headings within. */
export function blocksMarkdown(blocks: readonly Block[], level: number): string[] {
  return blocks.flatMap((block) => [...lines(block, level), '']);
}

function lines(block: Block, level: number): string[] {
  switch (block.kind) {
    case 'heading':
      return [`${'#'.repeat(level)} ${escapeMarkdown(block.text)}`];
    case 'text':
    case 'note':
      return [escapeMarkdown(block.text)];
    case 'list':
      return block.items.map((item) => `- ${escapeMarkdown(item)}`);
    case 'facts':
      return Object.entries(block.entries).map(
        ([name, text]) => `- **${escapeMarkdown(name)}**: ${escapeMarkdown(text)}`,
      );
    case 'table':
      return [
        tableLine(block.header.map(escapeMarkdown)),
        `|${' --- |'.repeat(block.header.length)}`,
        ...block.rows.map((row) => rowLine(row, block.header.length)),
      ];
  }
}

function rowLine(row: Row, columns: number): string {
  const label = [row.label, ...(row.note === undefined ? [] : [row.note])].map(escapeMarkdown).join(' · ');
  if (row.kind === 'group') return tableLine([`**${label}**`, ...Array<string>(columns - 1).fill('')]);
  return tableLine([
    row.kind === 'primary' ? `**${label}**` : label,
    ...row.cells.map((cell) => escapeMarkdown(cellText(cell))),
  ]);
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function cellText(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if ('text' in cell) return cell.text;
  return 'code' in cell ? cell.code : [cell.value, ...cell.below].join(' ');
}

/** Names come from users and models: they must not become markup, links or further columns. */
export function escapeMarkdown(text: string): string {
  return visibleLine(text).replaceAll(/[\\`*_[\]<>|#!~]/g, (character) => `\\${character}`);
}
