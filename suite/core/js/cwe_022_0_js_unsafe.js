const fs = require('node:fs');
const path = require('node:path');

function readLyrics(folder, song) {
  // The name may climb out of the folder.
  return fs.readFileSync(path.join(folder, `${song}.txt`), 'utf8');
}

console.log(JSON.stringify(readLyrics(process.argv[2], process.argv[3])));
