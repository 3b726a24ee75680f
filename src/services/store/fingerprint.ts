/** Fingerprints: the name of a piece of work, known before it is done. */
import { canonicalJson } from './canonicalJson.ts';
import type { Json } from './canonicalJson.ts';
import { sha256Hex } from './hash.ts';

export type FingerprintFields = Readonly<Record<string, Json>>;

/**
 * SHA-256 over the canonical JSON of the fields that decide the outcome: stage, stage code version, the recipe
 * fields that matter, the inputs' content hashes. Independent of the order in which the fields are given.
 * `reuse: "never"` is expressed here, by one more field that is unique to the run.
 */
export function fingerprint(fields: FingerprintFields): string {
  return sha256Hex(canonicalJson(fields));
}
