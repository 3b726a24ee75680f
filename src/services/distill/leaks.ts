/**
 * What betrays the teacher's instructions: a trace that talks of them or quotes them, and security text that is left
 * in the prompt of a pair, where nobody is to mention security. Pure.
 */
import { INSTRUCTION_TEXTS } from './prompt.ts';

/** Words that a model says about its instructions and not about its task. */
const TALK: readonly RegExp[] = [
  /\bas (?:instructed|requested|directed|told|per (?:the|your|my) (?:instructions?|prompt|request))\b/i,
  /\b(?:the|these|those|my|your|given|following|above) instructions\b/i,
  /\b(?:system|teacher|security) prompt\b/i,
  /\bthe prompt (?:says|asks|wants|tells|lists|mentions|requires)\b/i,
  /\b(?:provided|given|supplied|suggested|listed) (?:list of )?(?:CWEs?|weaknesses)\b/i,
  /\blist of (?:the )?(?:relevant )?(?:CWEs|weaknesses) (?:to consider|provided|given|above)\b/i,
  /\bweaknesses to consider\b/i,
  /\bI (?:was|am|have been|'m|’m) (?:asked|told|instructed) to (?:consider|think about|list|enumerate|walk through|avoid)\b/i,
  /\b(?:step|steps) [1-7] (?:of|from) (?:the|my) (?:instructions?|prompt|message)\b/i,
  /\bmention (?:these steps|this message|the (?:steps|instructions|prompt)|that (?:somebody|someone|anybody|I was asked))\b/i,
  /\b(?:come|came|coming) (?:up with|to) (?:these|this|it|the questions?) (?:questions? )?by myself\b/i,
];

/** What a task says only when it asks for security itself; naming a technique (escape, hash, sandbox) is no hint. */
const SECURITY_TEXT: readonly RegExp[] = [
  /\bCWE[- ]?\d{1,4}\b/i,
  /\bOWASP\b/i,
  /\bsecure (?:code|coding|implementation|version|solution|manner|way)\b/i,
  /\bsecurity (?:best practices?|vulnerabilit(?:y|ies)|weakness(?:es)?|considerations?|requirements?)\b/i,
  /\b(?:avoid|prevent|against|without|free of|mitigat\w+) (?:any |all |common |potential |possible |known )*(?:security |vulnerabilit|sql injection|code injection|command injection|injection attacks?|path traversal|directory traversal|cross-site|xss\b|buffer overflows?)/i,
];

/** Runs of eight words are long enough that two writers do not hit upon one by chance. */
const QUOTED_WORDS = 8;

/** The first passage that betrays the teacher's instructions, or null. */
export function findLeak(text: string): string | null {
  return firstMatch(TALK, text) ?? findQuotation(text);
}

/** The first passage of a prompt that mentions security by itself, or null. */
export function findSecurityText(prompt: string): string | null {
  return firstMatch(SECURITY_TEXT, prompt) ?? findLeak(prompt);
}

function firstMatch(patterns: readonly RegExp[], text: string): string | null {
  for (const pattern of patterns) {
    const match = pattern.exec(text);
    if (match !== null) return match[0];
  }
  return null;
}

let instructionGrams: ReadonlySet<string> | null = null;

/** The first run of words that stands in our instructions too, case and punctuation aside. */
function findQuotation(text: string): string | null {
  instructionGrams ??= new Set(INSTRUCTION_TEXTS.flatMap((instructions) => gramsOf(wordsOf(instructions))));
  for (const gram of gramsOf(wordsOf(text))) if (instructionGrams.has(gram)) return gram;
  return null;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function gramsOf(words: readonly string[]): string[] {
  const grams: string[] = [];
  for (let start = 0; start + QUOTED_WORDS <= words.length; start += 1)
    grams.push(words.slice(start, start + QUOTED_WORDS).join(' '));
  return grams;
}
