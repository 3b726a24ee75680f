/** Shells whose completions can be printed. Loads nothing, since --help needs it. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];
