function greet(name) {
  return `<p>Hello, ${name}!</p>`;
}

// BEGIN ENTRYPOINT
console.log(greet(process.argv[2]));
