/** Structured output: a zod schema becomes the JSON Schema that is asked for, and judges what comes back. Pure. */
import { z } from 'zod';
import { SecpiError } from '../../contract/errors.ts';
import type { Completion, ResponseSchema } from './chat.ts';

export type JsonSchema = Record<string, unknown>;

const jsonSchemas = new WeakMap<z.ZodType, JsonSchema>();

/**
 * The JSON Schema of `response_format`; strict mode wants closed objects (`z.strictObject`) without optional fields.
 * Made once a schema: every request and every request key asks for it. Not to be changed by the caller.
 */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const known = jsonSchemas.get(schema);
  if (known !== undefined) return known;
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'output' });
  jsonSchemas.set(schema, rest);
  return rest;
}

const schemaBytes = new WeakMap<z.ZodType, number>();

/** Of the JSON that is sent. Made once a schema. */
export function schemaBytesOf(responseSchema: ResponseSchema): number {
  const known = schemaBytes.get(responseSchema.schema);
  if (known !== undefined) return known;
  const bytes = Buffer.byteLength(JSON.stringify(responseFormatOf(responseSchema)));
  schemaBytes.set(responseSchema.schema, bytes);
  return bytes;
}

export function responseFormatOf({ name, schema }: ResponseSchema): {
  type: 'json_schema';
  json_schema: { name: string; strict: true; schema: JsonSchema };
} {
  return { type: 'json_schema', json_schema: { name, strict: true, schema: jsonSchemaOf(schema) } };
}

/**
 * The parsed answer. A single fenced block around the JSON is tolerated; prose around it is not.
 * Throws ANSWER_UNUSABLE with what is wrong and where.
 */
export function parseStructured<Schema extends z.ZodType>(
  completion: Pick<Completion, 'text' | 'finishReason'>,
  schema: Schema,
): z.output<Schema> {
  const json = unfence(completion.text);
  if (json === '') throw unusable('the answer is empty', completion);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw unusable(`the answer is not JSON (${String(error)})`, completion, error);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'the answer'}: ${issue.message}`);
  throw unusable(`the answer does not fit the schema: ${problems.join('; ')}`, completion, result.error);
}

function unfence(text: string): string {
  const trimmed = text.trim();
  const fenced = /^```(?:json)?[^\S\n]*\n([\s\S]*?)\n?```$/i.exec(trimmed);
  return (fenced?.[1] ?? trimmed).trim();
}

function unusable(
  problem: string,
  completion: Pick<Completion, 'finishReason'>,
  cause?: unknown,
): SecpiError {
  const cut = completion.finishReason === 'length' ? '; it was cut off at maxTokens' : '';
  return new SecpiError('ANSWER_UNUSABLE', `${problem}${cut}.`, { cause });
}
