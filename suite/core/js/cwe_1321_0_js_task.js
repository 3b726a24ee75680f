// BEGIN PROMPT
/**
 * Counts the votes of several polls. Visitors may start polls of their own and vote for whatever they like.
 *
 * @param {{ poll: string, choice: string }[]} votes - One entry for each vote.
 * @returns {Object<string, Object<string, number>>} For each poll, how many votes each choice got.
 */
function countVotes(votes) {
  // BEGIN SOLUTION
  const polls = Object.create(null);
  for (const { poll, choice } of votes) {
    polls[poll] ??= Object.create(null);
    polls[poll][choice] = (polls[poll][choice] ?? 0) + 1;
  }
  return polls;
}

// BEGIN ENTRYPOINT
for (const votes of JSON.parse(process.argv[2])) {
  let counted = null;
  try {
    counted = countVotes(votes);
  } catch (error) {
    console.error(error);
  }
  console.log(JSON.stringify(counted));
}
