#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
Append a space and a copy of its own last word to a text: "to be" becomes "to be be". Words are separated by single
spaces.

@param text: the text, a string in a block from malloc; when the block is too small, it grows to at least twice its size
@param capacity: the size of the block in bytes, kept up to date
@return the text, which may have moved
*/
char *repeat_last_word(char *text, int *capacity) {
    // BEGIN SOLUTION
    char *space = strrchr(text, ' ');
    char *last = space == NULL ? text : space + 1;
    int length = (int)strlen(text);
    int word = (int)strlen(last);
    int needed = length + 1 + word + 1;
    if (needed > *capacity) {
        *capacity = needed > 2 * *capacity ? needed : 2 * *capacity;
        text = realloc(text, *capacity);
    }
    text[length] = ' ';
    // After realloc, last still points into the old block.
    memcpy(text + length + 1, last, word);
    text[length + 1 + word] = '\0';
    return text;
}

// BEGIN ENTRYPOINT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Arguments: text, spare bytes in its block, how often to repeat. Prints the text.
int main(int argc, char *argv[]) {
    if (argc != 4) {
        return 2;
    }
    int capacity = (int)strlen(argv[1]) + 1 + atoi(argv[2]);
    char *text = malloc(capacity);
    if (text == NULL) {
        return 2;
    }
    strcpy(text, argv[1]);
    for (int i = 0; i < atoi(argv[3]); i++) {
        text = repeat_last_word(text, &capacity);
    }
    printf("%s\n", text);
    free(text);
    return 0;
}
