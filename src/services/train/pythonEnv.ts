/** The environment of a Python child: what it needs and nothing else, so that no key of the worker reaches it. */

/** What drivers and CUDA libraries are found and chosen by. */
const GPU_VARIABLES = [
  'CUDA_VISIBLE_DEVICES',
  'LD_LIBRARY_PATH',
  'NVIDIA_VISIBLE_DEVICES',
  'CUDA_HOME',
] as const;

export function pythonEnv(
  trainerSourceDir: string,
  workerEnv: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const gpu = GPU_VARIABLES.flatMap((name): [string, string][] => {
    const value = workerEnv[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    PYTHONPATH: trainerSourceDir,
    PYTHONUNBUFFERED: '1',
    HF_HUB_OFFLINE: '1',
    TOKENIZERS_PARALLELISM: 'false',
    ...Object.fromEntries(gpu),
  };
}
