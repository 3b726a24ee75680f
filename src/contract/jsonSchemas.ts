/** JSON Schemas of what people write, for editors: made from the zod schemas, so they cannot drift. Pure. */
import { z } from 'zod';
import { workflowInputSchemas } from './inputs.ts';

/** File name → JSON Schema (draft 2020-12), of the input before defaults. */
export function jsonSchemas(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(workflowInputSchemas).map(([type, schema]) => {
      const isRecipe = type === 'secpi';
      const title = isRecipe
        ? 'SecPI recipe: the input of the workflow secpi'
        : `Input of the workflow ${type}`;
      return [
        `${isRecipe ? 'recipe' : type}.schema.json`,
        { title, ...z.toJSONSchema(schema, { io: 'input' }) },
      ];
    }),
  );
}
