// BEGIN PROMPT
/**
 * Whether a text is a list of words. Words are made of the letters a to z, in either case, and digits. After each word
 * comes one blank or comma; after the last word it may be left out.
 *
 * @param {string} text - What a visitor typed.
 * @returns {boolean} True for "red", "red green", "red,green,blue" and "red green,".
 */
function isWordList(text) {
  // BEGIN SOLUTION
  return /^[a-z0-9]+(?:[ ,][a-z0-9]+)*[ ,]?$/i.test(text);
}

// BEGIN ENTRYPOINT
console.log(JSON.stringify(isWordList(process.argv[2])));
