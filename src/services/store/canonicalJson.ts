/**
 * Canonical JSON: one text for one value, so that equal content has an equal hash. Keys sorted by UTF-16 code
 * unit, no white space, numbers as ECMAScript prints them (the rules of RFC 8785).
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The canonical text of a JSON value. An absent and an `undefined` property are the same, as in JSON.
 * Throws a TypeError for what JSON cannot hold without loss: NaN, infinities, bigint, functions, class instances,
 * `undefined` inside an array, a text with half a surrogate pair.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$');
}

/** A line of a row file: the canonical text and a newline. No newline occurs inside canonical JSON. */
export function canonicalLine(row: unknown): string {
  return `${canonicalJson(row)}\n`;
}

function write(value: unknown, path: string): string {
  switch (typeof value) {
    case 'string':
      return writeText(value, path);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${path}: ${value} has no JSON form`);
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value))
        return `[${value.map((item, index) => write(item, `${path}[${index}]`)).join(',')}]`;
      return writeObject(value, path);
    default:
      throw new TypeError(`${path}: ${typeof value} has no JSON form`);
  }
}

function writeText(text: string, path: string): string {
  // UTF-8 cannot carry half a surrogate pair: two different texts would become the same bytes.
  if (!text.isWellFormed()) throw new TypeError(`${path}: the text holds half a surrogate pair`);
  return JSON.stringify(text);
}

function writeObject(value: object, path: string): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${path}: an instance of ${value.constructor.name} has no canonical JSON form`);
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${writeText(key, path)}:${write(member, `${path}.${key}`)}`);
  return `{${members.join(',')}}`;
}
