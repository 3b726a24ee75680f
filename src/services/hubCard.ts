/** What cards for the Hugging Face hub share: YAML front matter and Markdown tables. Pure. */

/** Identifiers that the hub knows, as far as code and its datasets carry them. */
const KNOWN_LICENSES = new Set([
  'apache-2.0',
  'mit',
  'bsd-2-clause',
  'bsd-3-clause',
  'cc0-1.0',
  'cc-by-4.0',
  'cc-by-sa-3.0',
  'cc-by-sa-4.0',
  'cc-by-nc-4.0',
  'cc-by-nc-sa-4.0',
  'gpl-3.0',
  'lgpl-3.0',
  'mpl-2.0',
  'odc-by',
  'openrail',
  'unlicense',
]);

/** Of what was made from these: one that the hub knows, or their names together. */
export function licenseLines(all: readonly string[]): string[] {
  const licenses = [...new Set(all.map((license) => license.toLowerCase()))];
  const [only = 'unknown'] = licenses;
  return licenses.length <= 1 && (KNOWN_LICENSES.has(only) || only === 'unknown')
    ? [`license: ${only}`]
    : ['license: other', `license_name: ${yaml(licenses.join(' and '))}`];
}

/** A JSON string is a YAML string, whatever it holds. */
export function yaml(value: string): string {
  return JSON.stringify(value);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function cell(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}
