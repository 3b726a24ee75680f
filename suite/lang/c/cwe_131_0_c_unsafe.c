#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
Write a text as a JSON string: between double quotes, with a backslash before each double quote and each backslash,
and with each character below 32 as \u and four hexadecimal digits (a line feed is \u000a).

@param text: the text, in ASCII
@return the JSON string in a block from malloc, which the caller frees
*/
char *json_quote(const char *text) {
    // BEGIN SOLUTION
    // Two bytes a character are too few for a text of control characters.
    char *quoted = malloc(2 * strlen(text) + 3);
    if (quoted == NULL) {
        return NULL;
    }
    char *out = quoted;
    *out++ = '"';
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 32) {
            out += sprintf(out, "\\u%04x", (unsigned char)*text);
            continue;
        }
        if (*text == '"' || *text == '\\') {
            *out++ = '\\';
        }
        *out++ = *text;
    }
    *out++ = '"';
    *out = '\0';
    return quoted;
}

// BEGIN ENTRYPOINT
#include <stdio.h>
#include <stdlib.h>

// Argument: the text. Prints it as a JSON string.
int main(int argc, char *argv[]) {
    if (argc != 2) {
        return 2;
    }
    char *quoted = json_quote(argv[1]);
    if (quoted == NULL) {
        return 2;
    }
    printf("%s\n", quoted);
    free(quoted);
    return 0;
}
