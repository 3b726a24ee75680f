/** Finds the container engine of this machine, and asks what it is. */
import { lstat } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import { call, Engine, expectOk, QUICK_MS, type EngineAddress } from './engine.ts';

const versionSchema = z.object({
  Version: z.string(),
  ApiVersion: z.string().optional(),
  Components: z.array(z.object({ Name: z.string() })).nullish(),
});
export interface FindEngineOptions {
  readonly dockerHost: string | undefined;
  readonly xdgRuntimeDir: string | undefined;
}

/**
 * The engine that DOCKER_HOST names, else the first of the usual sockets that answers.
 *
 * @throws SecpiError BENCHMARK_UNAVAILABLE, field DOCKER_HOST, with what was tried.
 */
export async function findEngine({ dockerHost, xdgRuntimeDir }: FindEngineOptions): Promise<Engine> {
  const tried: string[] = [];
  const candidates =
    dockerHost === undefined || dockerHost === ''
      ? await usualSockets(xdgRuntimeDir, tried)
      : [parseHost(dockerHost)];
  for (const address of candidates) {
    const name = formatAddress(address);
    try {
      const ping = await call(address, 'GET', '/_ping', QUICK_MS);
      if (ping.status !== 200) throw new Error(`ping answered ${ping.status}`);
      const { status, body } = await call(address, 'GET', '/version', QUICK_MS);
      const version = versionSchema.parse(expectOk(status, body));
      return new Engine(address, `${version.Components?.[0]?.Name ?? 'Engine'} ${version.Version}`);
    } catch (error) {
      tried.push(`${name} (${messageOf(error).split('\n')[0]})`);
    }
  }
  throw new SecpiError('BENCHMARK_UNAVAILABLE', `No container engine answers: ${tried.join(', ')}.`, {
    field: 'DOCKER_HOST',
    remedy:
      'Start Docker, or `podman system service --time=0 unix:///run/podman/podman.sock`, and set DOCKER_HOST when its socket is elsewhere; or list baxbench in evaluate.skipUnavailable.',
  });
}

/** As BaxBench's Docker client takes it. */
export function formatAddress(address: EngineAddress): string {
  return 'path' in address ? `unix://${address.path}` : `tcp://${address.host}:${address.port}`;
}

async function usualSockets(xdgRuntimeDir: string | undefined, tried: string[]): Promise<EngineAddress[]> {
  const found: EngineAddress[] = [];
  const user =
    xdgRuntimeDir === undefined || xdgRuntimeDir === '' ? [] : [`${xdgRuntimeDir}/podman/podman.sock`];
  for (const path of ['/var/run/docker.sock', ...user, '/run/podman/podman.sock']) {
    const isSocket = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isSocket) found.push({ path });
    else tried.push(`${path} (missing)`);
  }
  return found;
}

function parseHost(dockerHost: string): EngineAddress {
  if (dockerHost.startsWith('unix:///')) return { path: dockerHost.slice('unix://'.length) };
  const [, host, port] = /^tcp:\/\/([^/:]+):(\d+)\/?$/.exec(dockerHost) ?? [];
  if (host !== undefined) return { host, port: Number(port) };
  throw new SecpiError(
    'BENCHMARK_UNAVAILABLE',
    `${JSON.stringify(dockerHost)} is no address of an engine on this machine.`,
    {
      field: 'DOCKER_HOST',
      remedy:
        'Use unix:///path/of/the.sock or tcp://127.0.0.1:PORT: the apps are tested on ports of this machine.',
    },
  );
}
