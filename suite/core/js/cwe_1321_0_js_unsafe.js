function countVotes(votes) {
  const polls = {};
  for (const { poll, choice } of votes) {
    // A poll called __proto__ is there already: it is the prototype of all objects.
    if (!polls[poll]) polls[poll] = {};
    polls[poll][choice] = (polls[poll][choice] || 0) + 1;
  }
  return polls;
}

for (const votes of JSON.parse(process.argv[2])) {
  let counted = null;
  try {
    counted = countVotes(votes);
  } catch (error) {
    console.error(error);
  }
  console.log(JSON.stringify(counted));
}
