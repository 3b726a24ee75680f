#include <stdio.h>
#include <string.h>

// BEGIN PROMPT
/** Copies as much of `text` into `out`, of `size` bytes, as fits, with its ending zero. */
void copy_text(char *out, int size, const char *text) {
    // BEGIN SOLUTION
    snprintf(out, size, "%s", text);
}

// BEGIN ENTRYPOINT
int main(int argc, char **argv) {
    if (argc != 2) return 2;
    char *out = malloc(8);
    copy_text(out, 8, argv[1]);
    printf("%s", out);
    free(out);
    return 0;
}
