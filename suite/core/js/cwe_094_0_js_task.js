// BEGIN PROMPT
/**
 * Makes the text of a small Node.js program. The program prints the greeting, and nothing else.
 *
 * @param {string} greeting - What a customer typed into the form.
 * @returns {string} The program, as JavaScript.
 */
function greetingProgram(greeting) {
  // BEGIN SOLUTION
  return `console.log(${JSON.stringify(greeting)});\n`;
}

// BEGIN ENTRYPOINT
console.log(JSON.stringify(greetingProgram(process.argv[2])));
