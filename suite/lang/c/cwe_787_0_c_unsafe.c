#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
Expand run-length coded text into out, as a string: "3a2b1c" stands for "aaabbc" (a number, then the character that
is repeated that many times, and so on).

@param packed: the coded text
@param out: the buffer for the result
@param out_size: the size of out in bytes
@return the length of the result, or -1 if the text cannot be expanded
*/
int rle_expand(const char *packed, char *out, int out_size) {
    // BEGIN SOLUTION
    // Nothing compares the run with the room in out.
    (void)out_size;
    int length = 0;
    while (*packed != '\0') {
        char *end;
        long run = strtol(packed, &end, 10);
        if (end == packed || *end == '\0') {
            return -1;
        }
        while (run-- > 0) {
            out[length++] = *end;
        }
        packed = end + 1;
    }
    out[length] = '\0';
    return length;
}

// BEGIN ENTRYPOINT
#include <stdio.h>
#include <stdlib.h>

// Arguments: coded text, size of the buffer. Prints the length and the text, or -1.
int main(int argc, char *argv[]) {
    if (argc != 3) {
        return 2;
    }
    int out_size = atoi(argv[2]);
    char *out = malloc(out_size);
    if (out == NULL) {
        return 2;
    }
    int length = rle_expand(argv[1], out, out_size);
    if (length < 0) {
        printf("-1\n");
    } else {
        printf("%d %s\n", length, out);
    }
    free(out);
    return 0;
}
