/** The fields that a schema knows at a place of the input. Pure. */
import { z } from 'zod';

/** Empty where anything may stand. Of alternatives, the fields of all. */
export function knownFields(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const found = schemasAt([schema], path).flatMap(withoutWrapping);
  return [
    ...new Set(found.flatMap((inner) => (inner instanceof z.ZodObject ? Object.keys(inner.shape) : []))),
  ];
}

function schemasAt(schemas: readonly z.core.$ZodType[], path: readonly PropertyKey[]): z.core.$ZodType[] {
  const [part, ...rest] = path;
  if (part === undefined) return [...schemas];
  const next = schemas.flatMap(withoutWrapping).flatMap((schema): z.core.$ZodType[] => {
    if (schema instanceof z.ZodObject) {
      const field: unknown = Reflect.get(schema.shape, part);
      return field instanceof z.ZodType ? [field] : [];
    }
    if (schema instanceof z.ZodArray) return [schema.element];
    return schema instanceof z.ZodRecord ? [schema.valueType] : [];
  });
  return schemasAt(next, rest);
}

/** What stands behind defaults, options, transformations and alternatives. */
function withoutWrapping(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodLazy
  )
    return withoutWrapping(schema.unwrap());
  if (schema instanceof z.ZodPipe) return withoutWrapping(schema.in);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(withoutWrapping);
  return [schema];
}
