/** Where an endpoint of a recipe is, as this worker sees it: its own address and its fallbacks. */
import { SecpiError } from '../contract/errors.ts';
import type { Endpoint, Fallback } from '../contract/recipe.ts';
import { checkEndpoint } from '../services/llm/preflight.ts';
import type { Deps } from './deps.ts';

interface Address {
  readonly baseUrl?: string | undefined;
  readonly baseUrlEnv?: string | undefined;
}

/** Throws ENDPOINT_VARIABLE_MISSING. */
export function baseUrlOf(address: Address, field: string, environment: Deps['environment']): string {
  if (address.baseUrl !== undefined) return address.baseUrl;
  const name = address.baseUrlEnv ?? '';
  const value = environment[name]?.trim() ?? '';
  if (/^https?:\/\/\S+$/.test(value)) return value;
  const problem = value === '' ? 'is not set' : 'does not hold an http(s) URL';
  throw new SecpiError(
    'ENDPOINT_VARIABLE_MISSING',
    `the environment variable ${name} ${problem} on this worker.`,
    { field: `${field}.baseUrlEnv` },
  );
}

/** Somebody answers there and takes the key. Whether the model is known is decided by the first request: servers have aliases. */
export async function proveEndpoint(
  endpoint: Endpoint,
  field: string,
  { environment }: Deps,
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  for (const { address, model, at } of addressesOf(endpoint, field)) {
    try {
      const { apiKeyEnv } = address;
      await checkEndpoint({
        baseUrl: baseUrlOf(address, at, environment),
        model,
        environment,
        field: at,
        signal,
        ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
      });
    } catch (error) {
      // One address that answers is enough to begin with; a wrong key or name is told whichever it is.
      if (!(error instanceof SecpiError && error.code === 'ENDPOINT_UNREACHABLE')) throw error;
      failures.push(error);
    }
  }
  if (failures.length > endpoint.fallbacks.length) throw failures[0];
}

/** The endpoint's own address, then its fallbacks, each with its path in the recipe. */
export function addressesOf(
  endpoint: Endpoint,
  field: string,
): { address: Endpoint | Fallback; fallback: Fallback | null; model: string; at: string }[] {
  return [
    { address: endpoint, fallback: null, model: endpoint.model, at: field },
    ...endpoint.fallbacks.map((fallback, index) => ({
      address: fallback,
      fallback,
      model: fallback.servedModel ?? endpoint.model,
      at: `${field}.fallbacks[${index}]`,
    })),
  ];
}
