/** Commands about the stack and this machine: up, down, worker, doctor, setup, teacher. */
import { Argument, type Command } from 'commander';
import type { WorkerFlags } from '../commands/worker.ts';
import { examples, finish, parseCount, parsePort } from './arguments.ts';

const doctorParts = ['gpu', 'suite', 'cweval', 'baxbench'] as const;
type DoctorPart = (typeof doctorParts)[number];

export function registerStack(program: Command): void {
  program
    .command('up')
    .description(
      'start Temporal, S3, the recorded teacher and a worker; stay in the foreground until Ctrl-C or `secpi down`',
    )
    .option('--no-worker', 'without the worker: start some yourself with `secpi worker`')
    .option(
      '--json',
      'one line {event: "ready", …} on standard output when all serves; the rest goes to standard error',
      false,
    )
    .addHelpText(
      'after',
      examples([
        'npx secpi up',
        'npx secpi up --no-worker     beside it: npx secpi worker gpu',
        'npx secpi up --json > stack.json &',
      ]),
    )
    .action(
      async (options: { worker: boolean; json: boolean }) =>
        await finish(async () => await (await import('../commands/up.ts')).up(options)),
    );

  program
    .command('down')
    .description(
      'end the stack of this state folder, wherever it was started: workers save and hand over first',
    )
    .option('--json', '{stopped, pid, processes} on standard output', false)
    .addHelpText(
      'after',
      examples(
        ['npx secpi down', 'SECPI_STATE=/data/secpi npx secpi down'],
        'Ends what `secpi up` or `secpi demo` started, by its recorded process number and start time; what was killed\nbefore it could end its servers is tidied up. Runs stay in the state folder and go on after the next `secpi up`.',
      ),
    )
    .action(
      async (options: { json: boolean }) =>
        await finish(async () => await (await import('../commands/down.ts')).down(options)),
    );

  program
    .command('worker')
    .description('a worker in the foreground: control, data, gpu, sandbox; all by default')
    .argument('[kinds...]')
    .option('--class <name>', 'gpu: serve only recipes that ask for this class (finetune.gpu.class)')
    .option('--slots <n>', 'gpu: trainings and generations at a time (default: one a GPU; on a CPU one)')
    .option('--idle-exit <minutes>', 'gpu: end with code 0 after so long without a task, for autoscalers')
    .addHelpText(
      'after',
      `
Examples, on a machine with a GPU:
  TEMPORAL_ADDRESS=host:7233 AWS_ENDPOINT_URL_S3=http://host:9000 npx secpi worker gpu
  npx secpi worker gpu --class a100-spot --idle-exit 20

A GPU worker looks at its machine first (npx secpi doctor gpu shows the same) and ends with code 1 when it is unfit.
SIGTERM and the preemption notices of AWS, GCP, Azure and Kubernetes let trainings save and hand over:
  SECPI_PREEMPTION      auto (default), off, or some of aws,gcp,azure,kubernetes
  SECPI_GRACE_SECONDS   from SIGTERM to the end (default 30)
  SECPI_MIN_DISK_GB     free disk a GPU worker wants (default 10)

Its log is JSON Lines on standard output; {"event":"ready"} when it polls.
`,
    )
    .action(
      async (kinds: string[], flags: WorkerFlags) =>
        await finish(async () => await (await import('../commands/worker.ts')).worker(kinds, flags)),
    );

  program
    .command('doctor')
    .description(
      'check programs, memory, sandbox, Temporal and S3, and say what to do; or this machine for GPU work or a benchmark',
    )
    .addArgument(new Argument('[part]', 'only this, in detail').choices(doctorParts))
    .option('--json', '{ok, checks} on standard output; not of a part', false)
    .addHelpText(
      'after',
      examples([
        'npx secpi doctor',
        'npx secpi doctor --json',
        'npx secpi doctor gpu',
        'npx secpi doctor cweval',
      ]),
    )
    .action(async (part: DoctorPart | undefined, options: { json: boolean }, command: Command) => {
      if (part !== undefined && options.json) command.error('error: --json cannot be asked of a part');
      await finish(async () => await examine(part, options));
    });

  program
    .command('setup')
    .description('install what is missing; quick when nothing is')
    .option('--json', 'the places of everything on standard output', false)
    .addHelpText('after', examples(['npx secpi setup', 'npx secpi setup --json']))
    .action(
      async (options: { json: boolean }) =>
        await finish(async () => (await import('../commands/setup.ts')).setup(options)),
    );

  program
    .command('teacher')
    .description(
      'the recorded teacher in the foreground: an OpenAI-compatible server that answers from records/',
    )
    .option('--port <port>', '0 takes a free one', parsePort, 0)
    .option('--records <folder>', 'default: records in the project')
    .option('--latency-ms <ms>', 'how long an answer takes', parseCount, 0)
    .addHelpText(
      'after',
      examples(
        ['npx secpi teacher --port 8080'],
        'Prints one JSON line {"event":"ready","url":…} when it serves.',
      ),
    )
    .action(
      async (options: { port: number; records?: string; latencyMs: number }) =>
        await finish(async () => await (await import('../commands/teacher.ts')).teacher(options)),
    );
}

async function examine(part: DoctorPart | undefined, options: { readonly json: boolean }): Promise<number> {
  switch (part) {
    case 'gpu':
      return await (await import('../commands/doctorGpu.ts')).doctorGpu();
    case 'suite':
      return await (await import('../commands/doctorSuite.ts')).doctorSuite();
    case 'cweval':
      return await (await import('../commands/doctorCweval.ts')).doctorCweval();
    case 'baxbench':
      return await (await import('../commands/doctorBaxbench.ts')).doctorBaxbench();
    case undefined:
      return await (await import('../commands/doctor.ts')).doctor(options);
  }
}
