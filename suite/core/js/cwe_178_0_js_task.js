// BEGIN PROMPT
/**
 * Whether a new member of our site can have a name: nobody else has it. At the log-in, small and capital letters are
 * the same, so that members may write their names as they like.
 *
 * @param {string} name - The name that the new member wants.
 * @param {string[]} taken - The names of all members, as they wrote them.
 * @returns {boolean} True when the name is free.
 */
function nameIsFree(name, taken) {
  // BEGIN SOLUTION
  const wanted = name.toLowerCase();
  return taken.every((other) => other.toLowerCase() !== wanted);
}

// BEGIN ENTRYPOINT
console.log(JSON.stringify(nameIsFree(process.argv[2], process.argv.slice(3))));
