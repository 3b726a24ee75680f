function readMemberToken(token, key) {
  // Nobody looks at the signature.
  const parts = token.split('.');
  if (parts.length !== 3) return null;
  return JSON.parse(Buffer.from(parts[1], 'base64url').toString('utf8'));
}

console.log(JSON.stringify(readMemberToken(process.argv[2], process.argv[3])));
