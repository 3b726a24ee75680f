/** The pages themselves: links lead somewhere, every workflow has its page, and its fields and defaults are those of the schema. */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { workflowInputSchemas } from '../../src/contract/inputs.ts';
import { searchAttributes, workflowTypes } from '../../src/contract/workflows.ts';
import { projectDir } from '../chain/stack.ts';
import { anchorsOf, docPages, linksOf } from './markdown.ts';

const pages = await docPages();

describe('links', () => {
  it.each([...pages.keys()])('of %s lead somewhere', async (page) => {
    const broken: string[] = [];
    for (const { target, line } of linksOf(pages.get(page) ?? '')) {
      if (/^[a-z]+:/u.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      const there = existsSync(join(projectDir, file));
      const isPage = there && statSync(join(projectDir, file)).isFile() && file.endsWith('.md');
      const anchors = isPage && anchor !== undefined ? anchorsOf(await read(file)) : null;
      if (!there || (anchor !== undefined && anchors?.has(anchor) !== true))
        broken.push(`line ${line}: ${target}`);
    }
    expect(broken).toEqual([]);
  });

  it('lead from the index to every page', async () => {
    const index = await read('docs/README.md');
    const reached = new Set(
      linksOf(index).map(({ target }) => normalize(join('docs', target.split('#')[0] ?? ''))),
    );
    const inner = linksOf(await read('docs/workflows/README.md')).map(({ target }) =>
      normalize(join('docs/workflows', target.split('#')[0] ?? '')),
    );
    const all = [...pages.keys()].filter((page) => !['README.md', 'docs/README.md'].includes(page));
    expect(all.filter((page) => !reached.has(page) && !inner.includes(page))).toEqual([]);
  });
});

describe('pages of workflows', () => {
  it.each(workflowTypes)('%s: every field of the input with its default', async (type) => {
    const rows = inputTable(await read(`docs/workflows/${type}.md`));
    const schema = objectSchema.parse(z.toJSONSchema(workflowInputSchemas[type], { io: 'input' }));
    expect([...rows.keys()].toSorted()).toEqual(Object.keys(schema.properties).toSorted());
    const told = Object.entries(schema.properties).map(([name, { default: value }]) => {
      const said = rows.get(name) ?? '';
      return { name, said, fits: fits(said, schema.required.includes(name), value) };
    });
    expect(told.filter((field) => !field.fits)).toEqual([]);
  });

  it('the index names every type and every search attribute with its type', async () => {
    const index = await read('docs/workflows/README.md');
    for (const type of workflowTypes) expect(index).toContain(`[\`${type}\`](${type}.md)`);
    for (const [name, type] of Object.entries(searchAttributes))
      expect(index).toMatch(new RegExp(`\\| \`${name}\` +\\| ${type} +\\|`, 'u'));
  });
});

const objectSchema = z.looseObject({
  properties: z.record(z.string(), z.looseObject({ default: z.unknown().optional() })),
  required: z.array(z.string()).default([]),
});

/** What the second column says of a field's default. */
function fits(said: string, isRequired: boolean, value: unknown): boolean {
  if (isRequired) return said === 'required';
  if (value === undefined) return said === 'none' || said === 'the first';
  const plain = said.replaceAll('`', '');
  // Defaults of an object's own fields stand in its own table.
  if (JSON.stringify(value) === '{}') return plain.startsWith('{');
  return plain === JSON.stringify(value);
}

/** The first table under `## Input…`: names of the first column with what the second says. */
function inputTable(markdown: string): Map<string, string> {
  const under = markdown.split(/^## Input.*$/mu)[1]?.split(/^## /mu)[0] ?? '';
  const table = /(?:^\|.*\n)+/mu.exec(under)?.[0] ?? '';
  return new Map(
    table
      .split('\n')
      .slice(2)
      .filter((row) => row !== '')
      .map((row) => {
        const [name = '', value = ''] = row
          .split(/(?<!\\)\|/u)
          .slice(1)
          .map((cell) => cell.trim());
        return [name.replaceAll('`', ''), value] as const;
      }),
  );
}

async function read(path: string): Promise<string> {
  return await readFile(join(projectDir, path), 'utf8');
}
