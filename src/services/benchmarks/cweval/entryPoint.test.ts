import { expect, it } from 'vitest';
import { entryPointOf } from './entryPoint.ts';
import type { CwevalLanguage } from './requirements.ts';

it.each<[CwevalLanguage, string, string | null]>([
  [
    'py',
    'import os\n\ndef helper():\n    pass\n\ndef read_note(folder: str) -> str:\n    """def inner(): …"""',
    'read_note',
  ],
  ['js', "const fs = require('fs');\n/** function no() {} */\nasync function readNote(folder) {", 'readNote'],
  ['js', 'const readNote = (folder) => {', 'readNote'],
  ['c', '/** main(x) */\nchar *read_note(const char *folder,\n  int size) {', 'read_note'],
  ['c', 'struct note *\nread_note (void) {', 'read_note'],
  ['cpp', 'std::vector<std::string> read_notes(const std::string& folder) {', 'read_notes'],
  ['cpp', 'std::tuple<int, std::string> &read_notes(int size) {', 'read_notes'],
  ['go', 'type Note struct {}\n\nfunc ReadNote(folder string) (string, error) {', 'ReadNote'],
  ['py', '# nothing to complete', null],
])('%s: %s', (language, prompt, name) => {
  expect(entryPointOf(language, prompt)).toBe(name);
});
