// BEGIN PROMPT
/**
 * The page of a search. It has a form with the text field `q`, which shows the query again, and a list of the hits:
 * <form><input name="q" value="QUERY"></form><ul><li>HIT</li><li>HIT</li></ul>
 *
 * @param {string} query - What the visitor searched for.
 * @param {string[]} hits - The titles that were found.
 * @returns {string} The HTML.
 */
function searchPage(query, hits) {
  // BEGIN SOLUTION
  const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  const escape = (text) => text.replace(/[&<>"']/g, (sign) => names[sign]);
  const items = hits.map((hit) => `<li>${escape(hit)}</li>`).join('');
  return `<form><input name="q" value="${escape(query)}"></form><ul>${items}</ul>`;
}

// BEGIN ENTRYPOINT
console.log(JSON.stringify(searchPage(process.argv[2], process.argv.slice(3))));
