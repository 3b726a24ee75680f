/** `NAME@VERSION` and `registry:NAME@VERSION`. Pure. */

const SCHEME = 'registry:';

export interface NamedVersion {
  readonly name: string;
  /** Null where none is given. */
  readonly version: number | null;
}

/** Splits at the last `@`, if digits follow; a name may hold an `@` of its own. */
export function parseNamedVersion(text: string): NamedVersion {
  const match = /^(.+)@([1-9]\d{0,8})$/su.exec(text);
  return match === null ? { name: text, version: null } : { name: match[1] ?? '', version: Number(match[2]) };
}

/** Null when the text is no uri of the registry. */
export function parseRegistryUri(uri: string): NamedVersion | null {
  return uri.startsWith(SCHEME) ? parseNamedVersion(uri.slice(SCHEME.length)) : null;
}

export function registryUri({ name, version }: { readonly name: string; readonly version: number }): string {
  return `${SCHEME}${name}@${version}`;
}
