import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { APP_PORTS, leasePorts } from '../../src/services/benchmarks/baxbench/ports.ts';

const children: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(children.splice(0).map(async (child) => await kill(child)));
});

async function leaseElsewhere(count: number): Promise<{ child: ChildProcess; firstPorts: number[] }> {
  const script = fileURLToPath(new URL('leasePorts.ts', import.meta.url));
  const child = spawn(process.execPath, [script, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  for await (const line of createInterface(child.stdout)) return { child, firstPorts: JSON.parse(line) };
  throw new Error('The child said nothing.');
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

it('no two leases of several processes share a port', async () => {
  const others = await Promise.all([leaseElsewhere(6), leaseElsewhere(6), leaseElsewhere(6)]);
  const own = await Promise.all(Array.from({ length: 6 }, async () => await leasePorts()));
  const firstPorts = [
    ...others.flatMap((other) => other.firstPorts),
    ...own.map(({ firstPort }) => firstPort),
  ];
  const ports = firstPorts.flatMap((first) =>
    Array.from({ length: APP_PORTS }, (_, offset) => first + offset),
  );
  expect(ports).toHaveLength(24 * APP_PORTS);
  expect(new Set(ports).size).toBe(ports.length);
  await Promise.all(own.map(async (lease) => await lease.release()));
});

it('a range with a port that somebody else listens on is passed over, and taken again when it is free', async () => {
  const first = await leasePorts();
  await first.release();
  const second = await leasePorts();
  const squatter = createServer();
  await new Promise<void>((resolve) => {
    squatter.listen(second.firstPort + 3, '0.0.0.0', resolve);
  });
  await second.release();
  const all = await Promise.all(Array.from({ length: 20 }, async () => await leasePorts()));
  expect(all.map(({ firstPort }) => firstPort)).not.toContain(second.firstPort);
  await Promise.all(all.map(async (lease) => await lease.release()));
  squatter.close();
});

it('a killed process gives its ranges back', async () => {
  const { child, firstPorts } = await leaseElsewhere(1);
  const [firstPort = 0] = firstPorts;
  const guard = async (): Promise<boolean> => {
    const server = createServer();
    const listening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(firstPort - 1, '127.0.0.1', () => resolve(true));
    });
    server.close();
    return listening;
  };
  expect(await guard()).toBe(false);
  await kill(child);
  expect(await guard()).toBe(true);
});
