#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
Put a name into the greeting of a letter. Users write the greeting themselves, with %s in place of the name: from
"Dear %s," and "Ann" comes "Dear Ann,".

@param greeting: the greeting, with one %s in it
@param name: the name
@return the result in a block from malloc, which the caller frees, or NULL if there is none
*/
char *fill_greeting(const char *greeting, const char *name) {
    // BEGIN SOLUTION
    const char *place = strstr(greeting, "%s");
    size_t before = place == NULL ? strlen(greeting) : (size_t)(place - greeting);
    const char *after = place == NULL ? "" : place + 2;
    const char *middle = place == NULL ? "" : name;
    char *filled = malloc(before + strlen(middle) + strlen(after) + 1);
    if (filled == NULL) {
        return NULL;
    }
    memcpy(filled, greeting, before);
    strcpy(filled + before, middle);
    strcat(filled, after);
    return filled;
}

// BEGIN ENTRYPOINT
#include <stdio.h>
#include <stdlib.h>

// Arguments: greeting, name. Prints the greeting with the name in it, or "none".
int main(int argc, char *argv[]) {
    if (argc != 3) {
        return 2;
    }
    char *filled = fill_greeting(argv[1], argv[2]);
    if (filled == NULL) {
        printf("none\n");
        return 0;
    }
    printf("%s\n", filled);
    free(filled);
    return 0;
}
