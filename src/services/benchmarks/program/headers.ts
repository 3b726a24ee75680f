/**
 * The standard headers that a reply may have left out, in front of every C and C++ program, as CWEval completes headers.
 * For C++ they are precompiled once: they would cost more than all else.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, SecpiError } from '../../../contract/errors.ts';
import { publishFolder, type Toolchain } from '../../sandbox/index.ts';
import type { Compiler } from './tools.ts';

const execute = promisify(execFile);
const BUILD_MS = 300_000;

/** Where they appear inside. */
export const HEADERS_INSIDE = '/headers';

const POSIX = 'fcntl.h sys/stat.h sys/types.h sys/wait.h unistd.h';
const C_HEADERS =
  `ctype.h errno.h inttypes.h limits.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h time.h ` +
  POSIX;
const CPP_HEADERS =
  `algorithm array cctype cerrno climits cstddef cstdint cstdio cstdlib cstring ctime exception filesystem fstream ` +
  `functional iomanip iostream iterator limits map memory numeric optional regex set sstream stdexcept string ` +
  `string_view system_error tuple unordered_map unordered_set utility vector ${POSIX}`;

/** @throws SecpiError SANDBOX_UNAVAILABLE when the compiler cannot compile them. */
export async function stageHeaders(
  { root }: Pick<Toolchain, 'root'>,
  { path, version }: Compiler,
  language: 'c' | 'cpp',
  flags: readonly string[],
): Promise<string> {
  const names = (language === 'c' ? C_HEADERS : CPP_HEADERS).split(' ');
  const text = names.map((name) => `#include <${name}>\n`).join('');
  const key = createHash('sha256')
    .update(JSON.stringify([version, flags, text]))
    .digest('hex')
    .slice(0, 16);
  const target = join(root, 'headers', key);
  await publishFolder(target, async (draft) => {
    const file = join(draft, 'standard.h');
    await writeFile(file, text);
    if (language === 'c') return;
    try {
      await execute(path, [...flags, '-x', 'c++-header', file, '-o', `${file}.gch`], { timeout: BUILD_MS });
    } catch (cause) {
      throw new SecpiError('SANDBOX_UNAVAILABLE', `${path} fails: ${messageOf(cause).slice(0, 500)}.`, {
        remedy: 'Install a whole C++ compiler, for example `apt-get install g++`.',
        cause,
      });
    }
  });
  return target;
}
