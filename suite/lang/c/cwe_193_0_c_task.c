#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
Split a line at its spaces. The line is changed: a zero byte ends each word. The pointers to the words go into an
array, and NULL follows the last one, as in argv. Words for which there is no room are left out.

@param line: the line
@param words: the array for the pointers
@param max_words: the length of the array, at least 1
@return the number of words in the array
*/
int split_words(char *line, char **words, int max_words) {
    // BEGIN SOLUTION
    int count = 0;
    char *rest;
    char *word = strtok_r(line, " ", &rest);
    while (word != NULL && count < max_words - 1) {
        words[count++] = word;
        word = strtok_r(NULL, " ", &rest);
    }
    words[count] = NULL;
    return count;
}

// BEGIN ENTRYPOINT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Arguments: line, length of the array. Prints the number of words and the words, up to NULL.
int main(int argc, char *argv[]) {
    if (argc != 3) {
        return 2;
    }
    int max_words = atoi(argv[2]);
    char **words = malloc(max_words * sizeof(char *));
    char *line = malloc(strlen(argv[1]) + 1);
    if (words == NULL || line == NULL) {
        return 2;
    }
    strcpy(line, argv[1]);
    printf("%d", split_words(line, words, max_words));
    for (char **word = words; *word != NULL; word++) {
        printf(" %s", *word);
    }
    printf("\n");
    free(line);
    free(words);
    return 0;
}
