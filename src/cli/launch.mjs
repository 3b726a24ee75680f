#!/usr/bin/env node
/**
 * The entry of `npx secpi`, in a clone and installed as a package. The project needs Node 24, which its own packages
 * bring; this file runs on any Node from 20 up and hands over. A fresh clone is set up first.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cacheFolder, findNode, isClone } from '../../infra/setup/findNode.mjs';

const NEEDED_MAJOR = 24;
const root = fileURLToPath(new URL('../..', import.meta.url));
const cloned = isClone(root);
const main = join(root, cloned ? 'src/cli/main.ts' : 'dist/src/cli/main.js');

// A package's own folder goes when it is updated: what is to stay lies with the user.
if (!cloned)
  process.env.SECPI_STATE ||= join(process.env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'secpi');
if (cloned && (!existsSync(join(root, 'node_modules/commander')) || !existsSync(findNode(root)))) {
  const { status } = spawnSync(process.execPath, [join(root, 'infra/setup.mjs')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exit(3);
}
if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  // Half of a short command's time is the compiling of its modules.
  nodeModule.enableCompileCache?.(join(cacheFolder(process.env), 'compiled'));
  process.argv[1] = main;
  await import(pathToFileURL(main).href);
} else {
  // The channel tells the command when this launcher is gone, so that nothing outlives it.
  const child = spawn(findNode(root), [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // On a terminal Ctrl-C reaches the command by itself; other signals are passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
