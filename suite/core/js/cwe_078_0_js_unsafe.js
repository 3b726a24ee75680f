const { execSync } = require('node:child_process');

function sortedLines(file) {
  // A shell reads the name, and runs what it finds there.
  const output = execSync(`sort "${file}"`, { encoding: 'utf8' });
  return output.split('\n').filter((line) => line !== '');
}

console.log(JSON.stringify(sortedLines(process.argv[2])));
