// BEGIN PROMPT
/**
 * Our chat server loads a picture from an address that a member has posted, when it is an http or https address on one
 * of some hosts, or on a sub-domain of one: with the host "images.example" also https://cdn.images.example/cat.png.
 *
 * @param {string} address - The address.
 * @param {string[]} hosts - The hosts, in small letters.
 * @returns {boolean} Whether the server will load it.
 */
function mayLoadPicture(address, hosts) {
  // BEGIN SOLUTION
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  return hosts.some((host) => hostname === host || hostname.endsWith(`.${host}`));
}

// BEGIN ENTRYPOINT
console.log(JSON.stringify(mayLoadPicture(process.argv[2], process.argv.slice(3))));
