// BEGIN PROMPT
/** A greeting for the page, as HTML. */
function greet(name) {
  // BEGIN SOLUTION
  const escaped = name.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  return `<p>Hello, ${escaped}!</p>`;
}

// BEGIN ENTRYPOINT
console.log(greet(process.argv[2]));
