#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
In a file of records each field has a fixed width. A text that is shorter than its field is filled up with zero
bytes. Give the text of one field as a string.

@param field: the bytes of the field
@param width: the number of bytes in the field
@return the text in a block from malloc, which the caller frees
*/
char *field_text(const char *field, int width) {
    // BEGIN SOLUTION
    char *text = malloc(width);
    if (text == NULL) {
        return NULL;
    }
    // strncpy ends no string that fills the field.
    strncpy(text, field, width);
    return text;
}

// BEGIN ENTRYPOINT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Arguments: text, width of the field. Prints the text of the field that holds it.
int main(int argc, char *argv[]) {
    if (argc != 3) {
        return 2;
    }
    int width = atoi(argv[2]);
    char *field = calloc(width, 1);
    if (field == NULL || (int)strlen(argv[1]) > width) {
        return 2;
    }
    memcpy(field, argv[1], strlen(argv[1]));
    char *text = field_text(field, width);
    if (text == NULL) {
        return 2;
    }
    printf("%s\n", text);
    free(text);
    free(field);
    return 0;
}
