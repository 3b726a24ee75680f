function mayLoadPicture(address, hosts) {
  // The name of the host may stand anywhere in the address.
  return /^https?:/.test(address) && hosts.some((host) => address.includes(host));
}

console.log(JSON.stringify(mayLoadPicture(process.argv[2], process.argv.slice(3))));
