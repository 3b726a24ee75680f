// BEGIN PROMPT
/**
 * Our members are in a MongoDB collection, each with `name` and `pin`, both texts. A member logs in by a request whose
 * body is JSON such as {"name": "ann", "pin": "4711"}. Returns the filter for the collection's findOne(), which
 * finds that member.
 */
function loginFilter(body: string): object {
  // BEGIN SOLUTION
  const { name, pin } = JSON.parse(body) as { name: unknown; pin: unknown };
  if (typeof name !== 'string' || typeof pin !== 'string') throw new Error('name and pin must be texts');
  return { name, pin };
}

// BEGIN ENTRYPOINT
// A driver sends what is undefined as null.
const asSent = (_key: string, value: unknown) => (value === undefined ? null : value);
console.log(JSON.stringify(loginFilter(process.argv[2]!), asSent));
