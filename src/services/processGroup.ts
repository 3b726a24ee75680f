/** A child started with `detached` leads a process group: it, and all it started. */

/** SIGKILL to the group; one that has ended, or never began (no pid), is fine. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
