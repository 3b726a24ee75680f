/** The refusals of a dataset, with the field of the recipe that they concern. */
import { SecpiError } from '../../contract/errors.ts';

export interface Unreadable {
  readonly remedy?: string;
  readonly cause?: unknown;
  readonly field?: string;
}

export function unreadable(
  problem: string,
  { field = 'dataset.uri', ...options }: Unreadable = {},
): SecpiError {
  return new SecpiError('DATASET_UNREADABLE', problem, { field, ...options });
}

export function notFound(problem: string, cause?: unknown): SecpiError {
  return new SecpiError('DATASET_NOT_FOUND', problem, { field: 'dataset.uri', cause });
}

export function empty(problem: string): SecpiError {
  return new SecpiError('DATASET_EMPTY', problem, { field: 'dataset.uri' });
}
