/** What a program in TypeScript reads of `layout.mjs`. */
export declare function layout(
  env: NodeJS.ProcessEnv,
  root?: string,
): { cache: string; node: string; python: string; temporal: string; versitygw: string };
