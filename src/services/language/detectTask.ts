/**
 * The language a task asks for, from how people ask. Errs towards null: a wrong language spoils an experiment that
 * holds languages out, a missing one only makes its sample smaller. Pure.
 */
import { canonicalLanguage } from './names.ts';

/** Names that mean nothing else in a coding task. Longer ones first: "JavaScript" is not "Java". */
const PLAIN =
  'JavaScript|ECMAScript|Node\\.?js|TypeScript|Objective-?C|Visual Basic(?: \\.NET)?|VB\\.NET|VBA|PowerShell|' +
  'Python ?[23]?|CPython|C\\+\\+(?: ?[0-9]{2})?|CPP|C#|C Sharp|F#|Java|PHP|Ruby|Kotlin|Scala|Perl|Haskell|Golang|MATLAB|' +
  'Lua|Julia|Dart|Elixir|Erlang|Clojure|Bash|Shell|MySQL|PostgreSQL|SQLite|PL/SQL|T-SQL|SQL|HTML5?|CSS3?';
/** Names that are also words or letters: only as written here, and only where a language is expected. */
const AMBIGUOUS = 'Go|C|R|Swift|Rust|Assembly';

/** Behind a name: not the middle of another word ("Go" of "Google", "C" of "C++", "Java" of "Java-like"). */
const END = '(?![\\w+#-]|\\.\\w)';
const PLAIN_NAME = `(?<![\\w.#/-])(?:${PLAIN})${END}`;
const NOUN =
  '(?:functions?|programs?|scripts?|class(?:es)?|code|methods?|snippets?|modules?|(?:web )?applications?|apps?|' +
  'statements?|quer(?:y|ies)|commands?|one-liner|implementation|structs?|interfaces?|librar(?:y|ies)|packages?|' +
  'web server|REST API|decorators?|generators?|expressions?|loops?|lists?|arrays?|syntax|programming|language|API|server|solution|algorithm)';
const TRANSLATE =
  '\\b(?:convert|translate|port|rewrite|re-write|migrate|transpile|transform)\\b[^\\n]{0,250}?\\b';
const EQUIVALENT = '(?:(?:an?|the|its|this|equivalent|corresponding|similar|piece|of|code|in) ){0,5}?';
/** Places that only a language fits; the name is the first group. */
const places = (names: string, between: string): string[] => [
  `\\b(?:[Ii]n|[Uu]sing|[Ww]ith)(?: the)? (${names})${END}`,
  `(?<![\\w.#/-])(${names})${END}${between} ${NOUN}\\b`,
];

/** "in C" and "in R" are also degrees, keys and the set of real numbers. */
const NOT_A_LANGUAGE =
  /temperature|celsius|fahrenheit|kelvin|degrees|vitamin|chord|minor|major|real numbers|column|option|point/iu;
/** Written into pages and programs of another language, which is then the one asked for. */
const EMBEDDED = new Set(['sql', 'html', 'css']);

/** "The code in Python to Java" is Java, so "to" is looked for first. */
const translated = [
  `${TRANSLATE}(?:in)?to ${EQUIVALENT}`,
  `${TRANSLATE}in ${EQUIVALENT}`,
  '\\bequivalent ',
  '\\bequivalent\\b[^\\n]{0,150}?\\bin ',
].map((place) => new RegExp(`${place}(${PLAIN}|${AMBIGUOUS})${END}`, 'iu'));
const plainPlaces = places(PLAIN, '(?: \\w+){0,2}?').map((place) => new RegExp(place, 'giu'));
const ambiguousPlaces = places(AMBIGUOUS, '').map((place) => new RegExp(place, 'gu'));
const ambiguousName = new RegExp(`^(?:${AMBIGUOUS})$`, 'iu');
const mention = new RegExp(PLAIN_NAME, 'giu');
const fence = /^[ \t]*(?:```|~~~)[ \t]*([A-Za-z][\w+#.-]*)/gmu;

/** Canonical name, or null where the task names none, or several alike. */
export function detectTaskLanguage(task: string): string | null {
  const unclear = NOT_A_LANGUAGE.test(task);
  for (const translation of translated) {
    const target = translation.exec(task)?.[1];
    if (target === undefined) continue;
    if (!ambiguousName.test(target) || (/^[A-Z]/u.test(target) && !unclear)) return canonicalOf(target);
  }
  const ambiguous = unclear ? ambiguousPlaces.slice(1) : ambiguousPlaces;
  const asked = [...plainPlaces, ...ambiguous].flatMap((place) =>
    [...task.matchAll(place)].map((match) => match[1] ?? ''),
  );
  return (
    theOne(asked) ??
    theOne([...task.matchAll(fence)].map((match) => match[1] ?? '')) ??
    theOne([...task.matchAll(mention)].map((match) => match[0]))
  );
}

/** The only language among the names; what is embedded in another counts only alone. */
function theOne(names: readonly string[]): string | null {
  const languages = [...new Set(names.map(canonicalOf))];
  const hosts = languages.filter((language) => !EMBEDDED.has(language));
  const candidates = hosts.length > 0 ? hosts : languages;
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}

function canonicalOf(name: string): string {
  return canonicalLanguage(name.replace(/(?<=python|c\+\+) ?\d+$/iu, ''));
}
