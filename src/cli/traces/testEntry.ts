/** A row for tests. */
import type { DataEntry } from '../../services/report/index.ts';

export function entry(change: Partial<DataEntry> = {}): DataEntry {
  return {
    kind: 'kept',
    stage: 'filter',
    index: 17,
    id: 'row-17',
    sample: null,
    language: 'python',
    cwes: ['CWE-89'],
    reason: 'builds a query from user input',
    detail: null,
    texts: [{ title: 'Task', text: 'Write a function\nthat finds a user.' }],
    row: { index: 17, id: 'row-17' },
    ...change,
  };
}
