const fs = require('node:fs');
const path = require('node:path');

// BEGIN PROMPT
/**
 * The words of each song are in a text file below the folder: those of "abba/waterloo" in abba/waterloo.txt.
 *
 * @param {string} folder - The folder with all songs.
 * @param {string} song - Which song is wanted.
 * @returns {string} The words of the song.
 */
function readLyrics(folder, song) {
  // BEGIN SOLUTION
  const base = path.resolve(folder);
  const file = path.resolve(base, `${song}.txt`);
  if (!file.startsWith(base + path.sep)) throw new Error('there is no such song');
  return fs.readFileSync(file, 'utf8');
}

// BEGIN ENTRYPOINT
console.log(JSON.stringify(readLyrics(process.argv[2], process.argv[3])));
