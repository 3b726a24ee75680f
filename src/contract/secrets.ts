/** Finds values that look like keys, so that an input that carries one is refused without echoing it. */

const KEY_SHAPES: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_-]{16,}/,
  /\bhf_[A-Za-z0-9]{20,}/,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\bgh[pousr]_[A-Za-z0-9]{30,}/,
  /\bgithub_pat_[A-Za-z0-9_]{30,}/,
  /\bglpat-[A-Za-z0-9_-]{16,}/,
  /\bxox[abposr]-[A-Za-z0-9-]{10,}/,
  /\bAIza[A-Za-z0-9_-]{30,}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /^Bearer\s+\S{16,}/i,
];

const KEY_FIELD = /^(?:api_?key|secret|token|password|access_?key|authorization|credentials?)$/i;

export function looksLikeSecret(value: string): boolean {
  return KEY_SHAPES.some((shape) => shape.test(value)) || hasUrlPassword(value);
}

function hasUrlPassword(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]+:[^/\s@]+@/i.test(value);
}

/** Paths of the fields whose value looks like a key, or whose name asks for one. The values are not returned. */
export function findSecrets(input: unknown, path = ''): string[] {
  if (typeof input === 'string') return looksLikeSecret(input) ? [path] : [];
  if (Array.isArray(input)) return input.flatMap((item, index) => findSecrets(item, `${path}[${index}]`));
  if (typeof input === 'object' && input !== null) {
    return Object.entries(input).flatMap(([name, value]) => {
      const inner = path === '' ? name : `${path}.${name}`;
      const named = KEY_FIELD.test(name) && typeof value === 'string' && value !== '';
      const keyed = looksLikeSecret(name);
      if (keyed) return [`${path === '' ? '' : `${path}.`}(a field name)`];
      return named ? [inner] : findSecrets(value, inner);
    });
  }
  return [];
}

/** Replaces what looks like a key; for logs and error messages. */
export function redact(text: string): string {
  return KEY_SHAPES.reduce(
    (current, shape) => current.replace(new RegExp(shape.source, `g${shape.flags}`), '[redacted]'),
    text,
  );
}
