/** What became of a row or of an answer. `review` is the sample of kept and dropped rows drawn for people to judge. */
export const dataKinds = ['kept', 'dropped', 'excluded', 'dead', 'accepted', 'rejected', 'review'] as const;
export type DataKind = (typeof dataKinds)[number];
