/**
 * Makes what a model wrote safe to look at: control characters (terminal escapes) and the marks that reorder text
 * (CVE-2021-42574, "Trojan Source") are shown by their code point instead of taking effect. Line breaks and tabs stay.
 */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
}

/** The same for a place that has only one line. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll(/[\n\t]/g, ' ');
}
