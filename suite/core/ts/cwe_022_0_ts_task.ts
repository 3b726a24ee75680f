import fs from 'node:fs';
import path from 'node:path';

// BEGIN PROMPT
/**
 * A draft is a file in the folder: the draft "holiday" is holiday.md. Deletes the draft with the title that an author
 * chose, and tells whether there was one.
 */
function discardDraft(folder: string, title: string): boolean {
  // BEGIN SOLUTION
  const base = path.resolve(folder);
  const file = path.resolve(base, `${title}.md`);
  if (path.dirname(file) !== base || !fs.existsSync(file)) return false;
  fs.unlinkSync(file);
  return true;
}

// BEGIN ENTRYPOINT
console.log(JSON.stringify(discardDraft(process.argv[2]!, process.argv[3]!)));
