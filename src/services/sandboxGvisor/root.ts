/** The root folder that a gVisor kernel starts with: links such as /bin, and an empty place for each mount. */
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostRoot } from '../sandbox/hostRoot.ts';
import { mountsOf, type GvisorPlan } from './bundle.ts';

/** An empty place for each mount: gVisor may make none on a root that it cannot write. */
export async function layRoot(plan: GvisorPlan, { links }: HostRoot): Promise<void> {
  const { rootfs } = plan;
  await mkdir(rootfs);
  for (const { target, path } of links) await symlink(target, join(rootfs, path));
  for (const folder of ['/dev', '/sys']) await mkdir(join(rootfs, folder));
  for (const { destination, type, source } of mountsOf(plan)) {
    const place = join(rootfs, destination);
    // One that is gone is runsc's to tell.
    const isFile = type === 'bind' && ((await stat(source).catch(() => null))?.isFile() ?? false);
    await mkdir(isFile ? dirname(place) : place, { recursive: true });
    if (isFile) await writeFile(place, '');
  }
}
