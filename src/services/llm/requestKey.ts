/** What makes two requests the same paid answer. Every field that can change the answer is in it. Pure. */
import { canonicalJson } from '../store/canonicalJson.ts';
import { sha256Hex } from '../store/hash.ts';
import type { ChatRequest } from './chat.ts';
import { jsonSchemaOf } from './structured.ts';

/** Where answers may be shared: one model state, one prompt. */
export interface AnswerIdentity {
  readonly model: string;
  /** State behind the model name; `endpoint.revision` of the recipe. */
  readonly revision: string;
  readonly promptVersion: string;
}

/** SHA-256 over identity, messages, sampling, response schema and index (which sample of the same request: 0, 1, …). */
export function requestKey(identity: AnswerIdentity, request: ChatRequest, index: number): string {
  // The canonical JSON of all of it: `index` and `messages` sort before the rest.
  return sha256Hex(
    `{"index":${canonicalJson(index)},"messages":${canonicalJson(request.messages)},${restOf(identity, request)}`,
  );
}

interface Rest {
  readonly sampling: ChatRequest['sampling'];
  readonly responseSchema: ChatRequest['responseSchema'];
  readonly text: string;
}

/** Of the last request of each run: thousands in a row have all but their messages in common. */
const rests = new WeakMap<AnswerIdentity, Rest>();

function restOf(identity: AnswerIdentity, { sampling, responseSchema }: ChatRequest): string {
  const known = rests.get(identity);
  if (known?.sampling === sampling && known.responseSchema === responseSchema) return known.text;
  const schema =
    responseSchema === undefined
      ? null
      : { name: responseSchema.name, schema: jsonSchemaOf(responseSchema.schema) };
  const text = canonicalJson({ ...pick(identity), sampling, responseSchema: schema }).slice(1);
  rests.set(identity, { sampling, responseSchema, text });
  return text;
}

/** The name of the ledger's folder: SHA-256 over model, revision, prompt version and sampling. */
export function answerSpace(identity: AnswerIdentity, sampling: ChatRequest['sampling']): string {
  return hashOf({ ...pick(identity), sampling });
}

function pick({ model, revision, promptVersion }: AnswerIdentity): AnswerIdentity {
  return { model, revision, promptVersion };
}

function hashOf(value: unknown): string {
  return sha256Hex(canonicalJson(value));
}
