import { describe, expect, it } from 'vitest';
import { canonicalLanguage, detectCodeLanguage, detectTaskLanguage } from './index.ts';

describe('canonicalLanguage', () => {
  it.each([
    ['py', 'python'],
    ['Python3', 'python'],
    [' JS ', 'javascript'],
    ['Node.js', 'javascript'],
    ['tsx', 'typescript'],
    ['CPP', 'c++'],
    ['C  Plus Plus', 'c++'],
    ['C#', 'c#'],
    ['golang', 'go'],
    ['rs', 'rust'],
    ['sh', 'bash'],
    ['PostgreSQL', 'sql'],
    ['Brainfuck', 'brainfuck'],
    ['constructor', 'constructor'],
  ])('%s is %s', (name, canonical) => {
    expect(canonicalLanguage(name)).toBe(canonical);
    expect(canonicalLanguage(canonical)).toBe(canonical);
  });
});

describe('detectTaskLanguage', () => {
  it.each([
    ['Write a function in Python that sorts a list.', 'python'],
    ['Write a C++ function that adds two numbers.', 'c++'],
    ['Write a C++17 program that reads a file.', 'c++'],
    ['Implement a C program to reverse a string.', 'c'],
    ['In C, write a function that searches an array.', 'c'],
    ['Write a C# method that reverses a string.', 'c#'],
    ['Create a JavaScript function that adds.', 'javascript'],
    ['How would you reverse a string in Java?', 'java'],
    ['Build a REST API in Go that returns users.', 'go'],
    ['Write a server using Rust and Tokio.', 'rust'],
    ['Write a script in R to plot a histogram.', 'r'],
    ['Make a Swift struct for a point.', 'swift'],
    ['Write a shell script that counts files.', 'bash'],
    ['Write a Node.js server that stores uploads.', 'javascript'],
    ['Fix the error:\n```py\nprint(1\n```', 'python'],
    // A page or a query within a program belongs to the program.
    ['Write a Python function that runs an SQL query.', 'python'],
    ['Write an SQL query for the ten oldest users.', 'sql'],
    // The target of a translation.
    ['Convert this Python code to JavaScript:\nprint(1)', 'javascript'],
    ['Translate the code in Python into its C# equivalent: print(1)', 'c#'],
    ['What is the equivalent of this Java snippet in Go?', 'go'],
    ['Rewrite the following Python code to be more efficient.', 'python'],
  ])('%s: %s', (task, language) => {
    expect(detectTaskLanguage(task)).toBe(language);
  });

  it.each([
    'Go through the list and return the largest element.',
    'Write a function that lets the player go to the next room.',
    'Let c be a constant and r the radius of a circle.',
    'Convert a temperature in C to F.',
    'Plan a swift delivery route for a car with rust.',
    'Write a function that detects rust in pictures.',
    'Which option is right, A, B or C?',
    'Google the Javanese spelling and store it in a map.',
    'Explain to a Java and to a Python developer what a closure is.',
    'Return the sum of two numbers.',
    '',
  ])('nothing in: %s', (task) => {
    expect(detectTaskLanguage(task)).toBeNull();
  });
});

describe('detectCodeLanguage', () => {
  it.each([
    [
      'python',
      'import os\n\ndef sizes(folder):\n    """Sizes of all files."""\n    return {name: os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)}\n\nif __name__ == "__main__":\n    print(sizes("."))\n',
    ],
    [
      'go',
      'package main\n\nimport "fmt"\n\nfunc main() {\n\tvalues := []int{1, 2, 3}\n\tfor i, v := range values {\n\t\tfmt.Println(i, v)\n\t}\n}\n',
    ],
    [
      'c',
      '#include <stdio.h>\n#include <stdlib.h>\n\nint main(int argc, char **argv) {\n    char *text = malloc(16);\n    if (text == NULL) return 1;\n    printf("%s\\n", argv[0]);\n    free(text);\n    return 0;\n}\n',
    ],
  ])('knows %s', async (language, code) => {
    expect(await detectCodeLanguage(code)).toBe(language);
  });

  it.each(['', 'x = 1', 'The quick brown fox jumps over the lazy dog, and then it sleeps until noon.'])(
    'says nothing of %j',
    async (code) => {
      expect(await detectCodeLanguage(code)).toBeNull();
    },
  );
});
