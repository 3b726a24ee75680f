import { describe, expect, it } from 'vitest';
import { parseWorkerArguments } from './arguments.ts';

describe('the arguments of a worker', () => {
  it('are all kinds by default', () => {
    expect(parseWorkerArguments([])).toEqual({
      kinds: ['control', 'data', 'gpu', 'sandbox'],
      gpuClass: undefined,
      slots: undefined,
      idleExitMinutes: undefined,
    });
  });

  it('name the class, the slots and the patience of a GPU worker', () => {
    const args = ['gpu', '--class', 'a100-spot', '--slots', '2', '--idle-exit', '0.5'];
    expect(parseWorkerArguments(args)).toEqual({
      kinds: ['gpu'],
      gpuClass: 'a100-spot',
      slots: 2,
      idleExitMinutes: 0.5,
    });
  });

  it.each([
    [['gpus'], 'kinds'],
    [['data', '--class', 'a100'], '--class'],
    [['gpu', '--class', 'A100'], '--class'],
    [['gpu', '--class', ''], '--class'],
    [['gpu', '--slots', '0'], '--slots'],
    [['gpu', '--slots', '1.5'], '--slots'],
    [['gpu', '--slots', '-1'], 'arguments'],
    [['gpu', '--idle-exit', 'never'], '--idle-exit'],
    [['gpu', 'data', '--idle-exit', '5'], '--idle-exit'],
    [['gpu', '--lots', '5'], 'arguments'],
  ])('%j are refused, naming %s', (args, field) => {
    expect(() => parseWorkerArguments(args)).toThrow(
      expect.objectContaining({ code: 'RECIPE_INVALID', field }),
    );
  });
});
