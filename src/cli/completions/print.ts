/** `secpi completions SHELL`: a script that knows every command, option and choice; other words are files. */
import type { Command } from 'commander';
import { exitCodes } from '../exit.ts';
import type { Shell } from './shells.ts';
import { wordsOf, type CommandWords } from './words.ts';

export function printCompletions(program: Command, shell: Shell): number {
  process.stdout.write(completionScript(wordsOf(program), shell));
  return exitCodes.ok;
}

/** Pure. */
export function completionScript(commands: readonly CommandWords[], shell: Shell): string {
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

const text = ({ text: word }: { readonly text: string }): string => word;

/** One table of words by command, and one of values by option, are all that the two bourne shells need. */
function tables(commands: readonly CommandWords[]): { readonly words: string[]; readonly values: string[] } {
  return {
    words: commands.map(
      ({ path, commands: children, options, choices }) =>
        `    '${path}') words='${[...children.map(text), ...choices, ...options.map(text)].join(' ')}' ;;`,
    ),
    values: commands.flatMap(({ path, values }) =>
      [...values].map(
        ([option, allowed]) => `    '${`${path} ${option}`.trim()}') words='${allowed.join(' ')}' ;;`,
      ),
    ),
  };
}

/** Paths of commands with commands of their own: the word after one of these is part of the path. */
function parents(commands: readonly CommandWords[]): string[] {
  return commands.filter(({ commands: children }) => children.length > 0).map(({ path }) => path);
}

/** The path so far: words that are commands, as long as the one before has commands. */
function pathFunction(commands: readonly CommandWords[]): string {
  const known = parents(commands).flatMap((parent) =>
    (commands.find(({ path }) => path === parent)?.commands ?? []).map((child) =>
      parent === '' ? child.text : `${parent} ${child.text}`,
    ),
  );
  return [
    '_secpi_path() {',
    '  local route="" word',
    '  for word in "$@"; do',
    '    case "${route:+$route }$word" in',
    `      ${known.map((path) => `'${path}'`).join('|')}) route="\${route:+$route }$word" ;;`,
    '    esac',
    '  done',
    '  printf "%s" "$route"',
    '}',
  ].join('\n');
}

function bash(commands: readonly CommandWords[]): string {
  const { words, values } = tables(commands);
  return `# Completions of secpi for bash: secpi completions bash >> ~/.bashrc
${pathFunction(commands)}
_secpi() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words="" route
  route="$(_secpi_path "\${COMP_WORDS[@]:1:COMP_CWORD-1}")"
  case "\${route:+$route }$before" in
${values.join('\n')}
  esac
  [ -n "$words" ] || case "$route" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _secpi secpi
`;
}

function zsh(commands: readonly CommandWords[]): string {
  const { words, values } = tables(commands);
  return `#compdef secpi
# Completions of secpi for zsh: secpi completions zsh > a file _secpi in a folder of fpath
${pathFunction(commands)}
_secpi() {
  local route="" table=""
  route="$(_secpi_path "\${(@)words[2,CURRENT-1]}")"
  local before="\${route:+$route }\${words[CURRENT-1]}"
  case "$before" in
${values.map((line) => line.replace("words='", "table='")).join('\n')}
  esac
  [[ -n "$table" ]] || case "$route" in
${words.map((line) => line.replace("words='", "table='")).join('\n')}
  esac
  compadd -- \${=table}
  _files
}
if [ "$funcstack[1]" = "_secpi" ]; then _secpi "$@"; else compdef _secpi secpi; fi
`;
}

function fish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ path, commands: children, options, choices, values }) => {
    const when = `-n '__secpi_at "${path}"'`;
    return [
      ...children.map(
        ({ text: word, description }) => `complete -c secpi ${when} -f -a ${word} -d '${description}'`,
      ),
      ...(choices.length > 0 ? [`complete -c secpi ${when} -a '${choices.join(' ')}'`] : []),
      ...options.map(({ text: option, description }) => {
        const allowed = values.get(option);
        const value = allowed === undefined ? '' : ` -x -a '${allowed.join(' ')}'`;
        return `complete -c secpi ${when} -l ${option.replace(/^--/u, '')}${value} -d '${description}'`;
      }),
    ];
  });
  const known = commands.map(({ path }) => path).filter((path) => path !== '');
  return `# Completions of secpi for fish: secpi completions fish > ~/.config/fish/completions/secpi.fish
function __secpi_at
    set -l path
    for word in (commandline -opc)[2..-1]
        if contains -- (string join ' ' $path $word) ${known.map((path) => `'${path}'`).join(' ')}
            set path $path $word
        end
    end
    test "$path" = "$argv[1]"
end
${lines.join('\n')}
`;
}
