/** JSON Schemas of what people write, for editors: made from the zod schemas, so they cannot drift. Pure. */
import { z } from 'zod';
import { workflowInputSchemas } from './inputs.ts';
import { scheduledWorkflows, scheduleFileSchema } from './schedule.ts';

/** File name → JSON Schema (draft 2020-12), of what is written before defaults. */
export function jsonSchemas(): Record<string, object> {
  const inputs = Object.entries(workflowInputSchemas).map(([type, schema]): [string, object] => {
    const title =
      type === 'secpi' ? 'SecPI recipe: the input of the workflow secpi' : `Input of the workflow ${type}`;
    return [fileOf(type), { title, ...z.toJSONSchema(schema, { io: 'input' }) }];
  });
  return { ...Object.fromEntries(inputs), 'schedule.schema.json': scheduleSchema() };
}

function fileOf(type: string): string {
  return `${type === 'secpi' ? 'recipe' : type}.schema.json`;
}

/** The input inside is described by the workflow's own schema, which lies beside. */
function scheduleSchema(): object {
  return {
    title: 'A schedule: the file of secpi schedule apply',
    ...z.toJSONSchema(scheduleFileSchema, { io: 'input' }),
    anyOf: scheduledWorkflows.map((workflow) => ({
      properties: { workflow: { const: workflow }, input: { $ref: fileOf(workflow) } },
    })),
  };
}
