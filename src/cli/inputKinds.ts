/** What a file may hold that `secpi validate` checks. Loads little, since --help needs it. */
import { workflowTypes } from '../contract/workflows/names.ts';

export const inputKinds = [...workflowTypes, 'schedule'] as const;
export type InputKind = (typeof inputKinds)[number];
