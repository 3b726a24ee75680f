const { createHmac, timingSafeEqual } = require('node:crypto');

// BEGIN PROMPT
/**
 * Reads the token that a member sends with each request. We made it when the member logged in: a JSON Web Token of the
 * algorithm HS256.
 *
 * @param {string} token - Three parts of base64url, joined by dots.
 * @param {string} key - The key that our tokens are made with.
 * @returns {object | null} The payload; null for a text that is not such a token.
 */
function readMemberToken(token, key) {
  // BEGIN SOLUTION
  const parts = token.split('.');
  if (parts.length !== 3) return null;
  const [header, payload, signature] = parts;
  const expected = createHmac('sha256', key).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}

// BEGIN ENTRYPOINT
console.log(JSON.stringify(readMemberToken(process.argv[2], process.argv[3])));
