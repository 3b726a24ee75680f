/** The command as a user calls it: exit codes and what is printed. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { projectRoot } from './settings.ts';
import { runCli, temporaryFolder } from './testing/cli.ts';

async function validate(text: string, ...args: string[]): Promise<{ code: number; output: string }> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'recipe.json');
  await writeFile(path, text);
  return await runCli(['validate', path, ...args]);
}

async function quickRecipe(
  change: (recipe: Record<string, Record<string, unknown>>) => void,
): Promise<string> {
  const recipe = JSON.parse(await readFile(join(projectRoot, 'recipes/quick.json'), 'utf8'));
  change(recipe);
  return JSON.stringify(recipe);
}

describe('secpi', () => {
  test('--help shows every command, examples and exit codes', async () => {
    const { code, output } = await runCli(['--help']);
    expect(code).toBe(0);
    for (const command of ['up', 'demo', 'run', 'validate', 'traces', 'doctor', 'worker', 'teacher', 'setup'])
      expect(output).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    expect(output).toMatch(/Examples:[\s\S]*Exit codes:.*130/);
  });

  test.each([
    [['nonsense']],
    [['run']],
    [['up', '--bogus']],
    [['teacher', '--port', 'x']],
    [['validate', 'a', '--type', 'b']],
    [['traces']],
    [['traces', 'a', '--kind', 'kept,nonsense']],
    [['traces', 'a', '--cwe', '89']],
    [['traces', 'a', '--limit', '-1']],
  ])('%j is bad input', async (args) => {
    const { code, output } = await runCli(args);
    expect(code).toBe(2);
    expect(output).toContain('error:');
    expect(output).not.toMatch(/^\s+at /m);
  });

  test('a mistyped command is told its name', async () => {
    const { code, output } = await runCli(['vaildate', 'x.json']);
    expect(code).toBe(2);
    expect(output).toContain('Did you mean validate?');
  });

  test('npx secpi works in the clone, whatever Node is on the PATH', async () => {
    const { stdout } = await promisify(execFile)('npx', ['secpi', '--help'], { cwd: projectRoot });
    expect(stdout).toContain('Usage: secpi');
  });

  test('run without a stack says how to get one', async () => {
    await using folder = await temporaryFolder();
    const { code, output } = await runCli(['run', join(projectRoot, 'recipes/quick.json')], {
      SECPI_STATE: folder.path,
    });
    expect(code).toBe(3);
    expect(output).toMatch(/No stack is running[\s\S]*npx secpi up/);
  });
});

describe('secpi validate', () => {
  test('accepts the quick recipe', async () => {
    expect(await runCli(['validate', join(projectRoot, 'recipes/quick.json')])).toMatchObject({ code: 0 });
  });

  test.each([
    [
      'a file that is not there',
      ['validate', '/nowhere/recipe.json'],
      /RECIPE_INVALID {2}\(file\)\n {2}Problem: \/nowhere\/recipe\.json cannot be read/,
    ],
    ['a binary file', ['validate', '/bin/true'], /is not JSON/],
  ])('refuses %s', async (_, args, message) => {
    const { code, output } = await runCli(args);
    expect(code).toBe(2);
    expect(output).toMatch(message);
    expect(output).toContain('Remedy:');
  });

  test('names every wrong field, its problem and the remedy', async () => {
    const text = await quickRecipe((recipe) => {
      Object.assign(recipe['finetune'] ?? {}, { learningRate: 'high', epochz: 3 });
    });
    const { code, output } = await validate(text);
    expect(code).toBe(2);
    expect(output).toMatch(/RECIPE_INVALID {2}finetune\.learningRate\n {2}Problem: is "high"/);
    expect(output).toMatch(
      /RECIPE_INVALID {2}finetune\.epochz\n {2}Problem: is not a known field; did you mean "epochs"\?/,
    );
  });

  test('--json is for machines', async () => {
    const { code, output } = await validate('{"version": 2}', '--json');
    expect(code).toBe(2);
    const answer = JSON.parse(output);
    expect(answer.ok).toBe(false);
    expect(answer.problems).toContainEqual(
      expect.objectContaining({ code: 'RECIPE_INVALID', field: 'version', remedy: expect.any(String) }),
    );
  });

  test('never repeats a key that was pasted', async () => {
    const key = `sk-${'a1B2'.repeat(8)}`;
    const text = await quickRecipe((recipe) => {
      Object.assign(recipe['dataset'] ?? {}, { name: key });
    });
    const { code, output } = await validate(text);
    expect(code).toBe(2);
    expect(output).toContain('SECRET_IN_INPUT  dataset.name');
    expect(output).not.toContain(key);
  });

  test('checks the inputs of the other workflows', async () => {
    const good =
      '{"version":1,"traces":"s3://b/artifacts/traces/' +
      'a'.repeat(64) +
      '","finetune":{"model":{"uri":"embedded:x"}}}';
    expect(await validate(good, '--type', 'fineTune')).toMatchObject({ code: 0 });
    expect(await validate(good, '--type', 'distillTraces')).toMatchObject({ code: 2 });
    const { code, output } = await validate(good);
    expect(code).toBe(2);
    expect(output).toContain('--type fineTune');
  });
});
