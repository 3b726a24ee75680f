export { openFolder, publishFolder } from './publish.ts';
export { createSandbox, unavailable, type SandboxOptions } from './sandbox.ts';
export { spellOutControls, tailOf } from './text.ts';
export { stageToolchain, TOOLCHAIN_INSIDE, type Toolchain, type ToolchainOptions } from './toolchain.ts';
export * from './types.ts';
