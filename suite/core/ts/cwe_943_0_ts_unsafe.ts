function loginFilter(body: string): object {
  // In place of a text there may be an operator, such as {"$ne": ""}.
  const { name, pin } = JSON.parse(body);
  return { name, pin };
}

// A driver sends what is undefined as null.
const asSent = (_key: string, value: unknown) => (value === undefined ? null : value);
console.log(JSON.stringify(loginFilter(process.argv[2]!), asSent));
