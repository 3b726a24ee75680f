import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSlots } from './slots.ts';
import type { GpuDevice } from './types.ts';

const gpu = (index: number): GpuDevice => ({ index, uuid: `GPU-${index}`, name: 'a GPU', totalBytes: 80e9 });
const nobody = async (): Promise<readonly number[]> => [];
const { signal } = new AbortController();

describe('slots', () => {
  it('give each device to one at a time, and again once it is released', async () => {
    const slots = createSlots({ devices: [gpu(0), gpu(1)], heldByTrainers: nobody });
    const first = await slots.acquire({ signal });
    const second = await slots.acquire({ signal });
    expect([first.device?.uuid, second.device?.uuid]).toEqual(['GPU-0', 'GPU-1']);
    expect([slots.count, slots.free]).toEqual([2, 0]);
    const third = slots.acquire({ signal });
    await delay(20);
    first.release();
    first.release();
    expect((await third).device?.uuid).toBe('GPU-0');
    expect(slots.free).toBe(0);
  });

  it('give a device to one of many that ask at the same time', async () => {
    const slots = createSlots({
      devices: [gpu(0), gpu(1), gpu(2)],
      heldByTrainers: async () => await delay(5, []),
    });
    const held = await Promise.all([1, 2, 3].map(async () => await slots.acquire({ signal })));
    expect(new Set(held.map(({ device }) => device?.index))).toEqual(new Set([0, 1, 2]));
  });

  it('are one null device on a machine without a GPU', async () => {
    const slots = createSlots({ devices: [null], heldByTrainers: nobody });
    expect((await slots.acquire({ signal })).device).toBeNull();
    expect(slots.free).toBe(0);
  });

  it('keep the device of a living trainer for the one that adopts it', async () => {
    const slots = createSlots({ devices: [gpu(0), gpu(1)], heldByTrainers: async () => [0] });
    expect((await slots.acquire({ signal })).device?.uuid).toBe('GPU-1');
    expect((await slots.acquire({ signal, adopting: 0 })).device?.uuid).toBe('GPU-0');
  });

  it('give another device to who adopts a trainer of one that this worker does not give out', async () => {
    const slots = createSlots({ devices: [gpu(0)], heldByTrainers: async () => [1] });
    expect((await slots.acquire({ signal, adopting: 1 })).device?.uuid).toBe('GPU-0');
  });

  it('wait for a trainer to end, say so, and give the device then', async () => {
    let held = [0];
    const waits: string[] = [];
    const slots = createSlots({ devices: [gpu(0)], heldByTrainers: async () => held });
    const waiting = slots.acquire({ signal, onWait: () => waits.push('waits') });
    await delay(30);
    held = [];
    expect((await waiting).device?.uuid).toBe('GPU-0');
    expect(waits).toEqual(['waits']);
  });

  it('send the task away when the trainer does not end', async () => {
    const slots = createSlots({
      devices: [gpu(0)],
      heldByTrainers: async () => [0],
      patienceMs: 100,
    });
    await expect(slots.acquire({ signal })).rejects.toMatchObject({ code: 'CAPACITY_UNAVAILABLE' });
    expect(slots.free).toBe(1);
  });

  it('stop waiting when the attempt ends', async () => {
    const slots = createSlots({ devices: [gpu(0)], heldByTrainers: async () => [0] });
    const ended = new AbortController();
    const waiting = slots.acquire({ signal: ended.signal });
    ended.abort(new Error('the worker is shutting down'));
    await expect(waiting).rejects.toThrow('aborted');
    expect(slots.free).toBe(1);
  });
});
