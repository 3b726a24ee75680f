/** The runbook: every code of the catalogue has its heading, says who mends it, and is named by its errors. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CATALOGUE, runbookOf, SecpiError, type ErrorCode } from '../../src/contract/errors.ts';
import { projectDir } from '../chain/stack.ts';
import { anchorsOf, sectionsOf } from './markdown.ts';

const runbook = await readFile(join(projectDir, 'docs/errors.md'), 'utf8');
const sections = sectionsOf(runbook);
const codes = Object.keys(ERROR_CATALOGUE) as ErrorCode[];
const MENDERS = { user: 'user', operator: 'operator', retry: 'nobody' } as const;

describe('docs/errors.md', () => {
  it.each(codes)('explains %s', (code) => {
    const text = sections.get(code);
    expect(text, `a heading ### ${code}`).toBeDefined();
    const { mender, retryable } = ERROR_CATALOGUE[code];
    const said = /^_Mended by: (\w+)\. Tried again: (yes|no)\b/mu.exec(text ?? '');
    expect(said?.slice(1)).toEqual([MENDERS[mender], retryable ? 'yes' : 'no']);
    // More than the message says already.
    expect((text ?? '').length).toBeGreaterThan(200);
  });

  it('has no heading for a code that is gone', () => {
    const named = [...sections.keys()].filter((title) => /^[A-Z][A-Z_]+$/u.test(title));
    expect(named.toSorted()).toEqual(codes.toSorted());
  });

  it.each(codes)('is named by every %s', (code) => {
    const { message } = new SecpiError(code, 'Something.', { field: 'some.field', remedy: 'Mend it.' });
    const [file = '', anchor = ''] = runbookOf(code).split('#');
    expect(message).toBe(`${code}: some.field: Something. Remedy: Mend it. (${file}#${anchor})`);
    expect(file).toBe('docs/errors.md');
    expect(anchorsOf(runbook)).toContain(anchor);
  });
});
