/** The sandbox. */
/** @param {import('../layout.mjs').Layout} places */
export async function sandbox(places) {
  return { made: false, note: places.python };
}
