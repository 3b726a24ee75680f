/** An examination in people's words, and as the event that a worker prints. Pure. */
import { SecpiError } from '../../contract/errors.ts';
import { describeCapacity } from './capacity.ts';
import { gigabytes, type Examination, type ExaminedGpu } from './examine.ts';
import type { StoreSpeed } from './storeSpeed.ts';

/** Below this share of its memory, another program is on the GPU. */
const FREE_ENOUGH_SHARE = 0.9;

/** One line a thing; the first sums up. */
export function describeHost(examination: Examination): string[] {
  const { gpus, takes, probe, nvidia, unfit } = examination;
  const host = `${examination.cpuThreads} CPU threads, ${gigabytes(examination.memoryBytes)} of memory free`;
  const lines =
    gpus.length === 0
      ? [`no GPU is used: trains and generates on the CPU (${host}), which suits small models`]
      : [`${gpus.length === 1 ? '1 GPU' : `${gpus.length} GPUs`} (${host})`, ...gpus.map(describeGpu)];
  if (nvidia.state === 'present')
    lines.push(`driver ${nvidia.driver}${nvidia.cuda === null ? '' : `, which runs CUDA ${nvidia.cuda}`}`);
  if (probe !== null)
    lines.push(
      `torch ${probe.torch}, flash attention ${probe.flashAttention ?? 'not installed'}, bitsandbytes ${probe.bitsandbytes ?? 'not installed'}`,
    );
  if (takes !== null) lines.push(`takes ${describeCapacity(takes)}`);
  lines.push(`${gigabytes(examination.freeDiskBytes)} of disk are free`, describeStore(examination));
  return [...lines, ...unfit.map(({ problem, remedy }) => `unfit: ${problem} Remedy: ${remedy}`)];
}

/** The fields of `{"event":"gpu", …}`, but for its name. */
export function eventOf(examination: Examination): Record<string, unknown> {
  const { nvidia, probe, store, takes } = examination;
  return {
    gpus: examination.gpus,
    driver: nvidia.state === 'present' ? nvidia.driver : null,
    driverCuda: nvidia.state === 'present' ? nvidia.cuda : null,
    torch: probe?.torch ?? null,
    torchCuda: probe?.cuda ?? null,
    flashAttention: probe?.flashAttention ?? null,
    bitsandbytes: probe?.bitsandbytes ?? null,
    cpuThreads: examination.cpuThreads,
    memoryBytes: examination.memoryBytes,
    freeDiskBytes: examination.freeDiskBytes,
    storeUploadBytesPerSecond: store?.uploadBytesPerSecond ?? null,
    storeDownloadBytesPerSecond: store?.downloadBytesPerSecond ?? null,
    takes,
    unfit: examination.unfit.map(({ problem }) => problem),
  };
}

/** Throws GPU_UNFIT with all that is wrong. */
export function requireFit({ unfit }: Examination): void {
  const [first, ...others] = unfit;
  if (first === undefined) return;
  const join = (field: 'problem' | 'remedy'): string => [first, ...others].map((one) => one[field]).join(' ');
  throw new SecpiError('GPU_UNFIT', join('problem'), { remedy: join('remedy') });
}

function describeGpu({
  index,
  name,
  totalBytes,
  freeBytes,
  bf16,
  computeCapability,
  peakFlops,
}: ExaminedGpu): string {
  const total = totalBytes ?? freeBytes;
  const facts = [
    `${gigabytes(freeBytes)} of ${gigabytes(total)} free${freeBytes < FREE_ENOUGH_SHARE * total ? ' (another program uses it)' : ''}`,
    ...(computeCapability === null ? [] : [`compute capability ${computeCapability}`]),
    bf16 ? 'bf16' : 'no bf16',
    ...(peakFlops === null ? [] : [`peak ${Math.round(peakFlops / 1e12)} TFLOP/s`]),
  ];
  return `GPU ${index}: ${name}, ${facts.join(', ')}`;
}

function describeStore({ store, storeProblem }: Examination): string {
  if (storeProblem !== null) return `the store was not measured: ${storeProblem}`;
  return store === null ? 'the store was not measured' : `the store takes ${speeds(store)}`;
}

function speeds({ uploadBytesPerSecond, downloadBytesPerSecond }: StoreSpeed): string {
  const perSecond = (bytes: number): string =>
    `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB/s`;
  return `${perSecond(uploadBytesPerSecond)} and gives ${perSecond(downloadBytesPerSecond)}`;
}
