function greetingProgram(greeting) {
  // A quote in the greeting ends the string; what follows is code.
  return `console.log('${greeting}');\n`;
}

console.log(JSON.stringify(greetingProgram(process.argv[2])));
