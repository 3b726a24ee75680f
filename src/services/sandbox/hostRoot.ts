/** What a sandbox takes over of this machine's root. */
import { lstat, readlink } from 'node:fs/promises';

/** What of it is a link into /usr on a merged system, or a real folder on an older one. */
export interface HostRoot {
  readonly links: readonly { readonly target: string; readonly path: string }[];
  readonly folders: readonly string[];
}

const ROOT_ENTRIES = ['/bin', '/sbin', '/lib', '/lib32', '/lib64'];

export async function readHostRoot(): Promise<HostRoot> {
  const links: { target: string; path: string }[] = [];
  const folders: string[] = [];
  for (const path of ROOT_ENTRIES) {
    const info = await lstat(path).catch(() => null);
    if (info?.isSymbolicLink() === true) links.push({ target: await readlink(path), path });
    else if (info?.isDirectory() === true) folders.push(path);
  }
  return { links, folders };
}
