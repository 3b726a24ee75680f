/** JSON merge patch (RFC 7386): what a variant changes of a recipe. Pure. */
import type { z } from 'zod';

export type Json = z.infer<ReturnType<typeof z.json>>;

/**
 * `patch` over `target`: objects are merged field by field, null takes a field away, everything else (arrays too) takes
 * the place of what was there. Neither is changed.
 */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const fields = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) fields.delete(name);
    else fields.set(name, mergePatch(fields.get(name), change));
  }
  // Makes own fields of names that an assignment would take for a prototype.
  return Object.fromEntries(fields);
}

/** True when the patch changes the field at the path, something within it, or something that holds it. */
export function touches(patch: Json, path: readonly string[]): boolean {
  const [name, ...rest] = path;
  if (name === undefined || !isObject(patch)) return true;
  const change = Object.hasOwn(patch, name) ? patch[name] : undefined;
  return change !== undefined && touches(change, rest);
}

function isObject(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
