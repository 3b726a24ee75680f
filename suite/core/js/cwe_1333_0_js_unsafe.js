function isWordList(text) {
  // There are countless ways to cut one long word into several, and all are tried.
  return /^([a-z0-9]+[ ,]?)+$/i.test(text);
}

console.log(JSON.stringify(isWordList(process.argv[2])));
