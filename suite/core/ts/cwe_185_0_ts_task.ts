// BEGIN PROMPT
/**
 * Whether a web page may call our interface. `origin` is where the page comes from, such as https://eu.shop.example.
 * It must fit one of the patterns: a pattern is an origin in which * stands for any part of a host name, such as
 * https://*.shop.example.
 */
function originFits(origin: string, patterns: string[]): boolean {
  // BEGIN SOLUTION
  return patterns.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
    return new RegExp(`^${parts.join('[a-z0-9.-]+')}$`).test(origin);
  });
}

// BEGIN ENTRYPOINT
console.log(JSON.stringify(originFits(process.argv[2]!, process.argv.slice(3))));
