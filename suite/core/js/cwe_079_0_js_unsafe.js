function searchPage(query, hits) {
  // Whatever the visitor typed becomes part of the page.
  const items = hits.map((hit) => `<li>${hit}</li>`).join('');
  return `<form><input name="q" value="${query}"></form><ul>${items}</ul>`;
}

console.log(JSON.stringify(searchPage(process.argv[2], process.argv.slice(3))));
