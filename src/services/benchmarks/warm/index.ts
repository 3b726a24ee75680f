export type { HostSpec, WarmHost } from './host.ts';
export { stageWarmHarness, WarmHosts, type WarmHostsOptions } from './hosts.ts';
