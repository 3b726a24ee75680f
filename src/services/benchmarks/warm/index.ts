export { type HostSpec, type WarmHost, type WarmRun } from './host.ts';
export { WarmHosts, type WarmHostsOptions } from './hosts.ts';
