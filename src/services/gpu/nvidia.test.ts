import { describe, expect, it } from 'vitest';
import { driverProblem, parseCudaVersion, parseGpus } from './nvidia.ts';

describe('nvidia-smi', () => {
  it('lists the GPUs of the machine', () => {
    const table =
      '0, GPU-1a, NVIDIA H200, 143771, 143160, 575.57.08\n1, GPU-2b, NVIDIA H200, 143771, 12, 575.57.08\n';
    expect(parseGpus(table)).toEqual([
      {
        index: 0,
        uuid: 'GPU-1a',
        name: 'NVIDIA H200',
        totalBytes: 143_771 * 2 ** 20,
        freeBytes: 143_160 * 2 ** 20,
      },
      {
        index: 1,
        uuid: 'GPU-2b',
        name: 'NVIDIA H200',
        totalBytes: 143_771 * 2 ** 20,
        freeBytes: 12 * 2 ** 20,
      },
    ]);
    expect(parseGpus('0, GPU-1a, NVIDIA GB10, [N/A], [N/A], 580.95')[0]?.totalBytes).toBe(0);
    expect(parseGpus('No devices were found\n')).toEqual([]);
  });

  it.each([
    ['| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.4 |', '12.4'],
    ['| NVIDIA-SMI 610.43.02   KMD Version: 610.43.02   CUDA UMD Version: 13.3 |', '13.3'],
    ['| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: N/A |', null],
  ])('%s runs CUDA %s', (head, version) => {
    expect(parseCudaVersion(head)).toBe(version);
  });

  it.each([
    ['550.54', '12.4', '13.2', 'runs CUDA 12.4; this torch is built for CUDA 13.2, which needs 580 or newer'],
    ['470.10', '11.4', '12.8', 'runs CUDA 11.4; this torch is built for CUDA 12.8, which needs 525 or newer'],
  ])('the driver %s (CUDA %s) is too old for a torch of CUDA %s', (driver, runs, built, problem) => {
    expect(driverProblem(driver, runs, built)).toBe(`the driver ${driver} ${problem}`);
  });

  it.each([
    ['580.95', '13.0', '13.2'],
    ['580.95', '13.0', '12.6'],
    ['580.95', null, '13.2'],
  ])('the driver %s (CUDA %s) is no problem for a torch of CUDA %s', (driver, runs, built) => {
    expect(driverProblem(driver, runs, built)).toBeNull();
  });
});
