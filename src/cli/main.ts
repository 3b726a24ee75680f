#!/usr/bin/env node
/** The `secpi` command. Each command's code is loaded when it is called, so that --help is quick. */
import { createProgram } from './program/index.ts';
import { complain } from './exit.ts';

try {
  await createProgram().parseAsync();
} catch (error) {
  const { exitCode, text } = complain(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}
// Everything is closed; a retry that the Temporal client has still planned would find its channel closed and throw.
process.exit();
