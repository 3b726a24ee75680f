/** Child process: takes as many port ranges as its argument says, prints them, and holds them until it is ended. */
import { leasePorts } from '../../src/services/benchmarks/baxbench/ports.ts';

const firstPorts: number[] = [];
for (let count = 0; count < Number(process.argv[2]); count += 1)
  firstPorts.push((await leasePorts()).firstPort);
process.stdout.write(`${JSON.stringify(firstPorts)}\n`);
