function originFits(origin: string, patterns: string[]): boolean {
  // The dots of the pattern stand for any character, and more text may follow.
  return patterns.some((pattern) => new RegExp(pattern.replace('*', '.*')).test(origin));
}

console.log(JSON.stringify(originFits(process.argv[2]!, process.argv.slice(3))));
