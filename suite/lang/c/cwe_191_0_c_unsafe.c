#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
Make the number of a card ready for a receipt: replace every character but the last four by '*', in place.

@param number: the number of the card, a string
*/
void mask_number(char *number) {
    // BEGIN SOLUTION
    // The difference of unsigned numbers wraps around for fewer than four characters.
    for (size_t i = 0; i < strlen(number) - 4; i++) {
        number[i] = '*';
    }
}

// BEGIN ENTRYPOINT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Argument: the number. Prints it masked.
int main(int argc, char *argv[]) {
    if (argc != 2) {
        return 2;
    }
    char *number = malloc(strlen(argv[1]) + 1);
    if (number == NULL) {
        return 2;
    }
    strcpy(number, argv[1]);
    mask_number(number);
    printf("%s\n", number);
    free(number);
    return 0;
}
