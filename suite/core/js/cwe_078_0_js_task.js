const { execFileSync } = require('node:child_process');

// BEGIN PROMPT
/**
 * Lets the program `sort` sort the lines of a text file that a user has chosen.
 *
 * @param {string} file - The name of the file.
 * @returns {string[]} The lines in their new order.
 */
function sortedLines(file) {
  // BEGIN SOLUTION
  const output = execFileSync('sort', ['--', file], { encoding: 'utf8' });
  return output.split('\n').filter((line) => line !== '');
}

// BEGIN ENTRYPOINT
console.log(JSON.stringify(sortedLines(process.argv[2])));
