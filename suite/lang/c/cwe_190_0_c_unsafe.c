#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
Make a table of numbers, row after row in one block from malloc, with the same number in every cell.

@param rows: the number of rows, at least 1
@param cols: the number of columns, at least 1
@param value: the number for every cell
@return the block, which the caller frees, or NULL if there is no table to give
*/
int *make_table(unsigned int rows, unsigned int cols, int value) {
    // BEGIN SOLUTION
    // The product of two 32-bit numbers wraps around.
    int *table = malloc(rows * cols * sizeof(int));
    if (table == NULL) {
        return NULL;
    }
    for (unsigned int row = 0; row < rows; row++) {
        for (unsigned int col = 0; col < cols; col++) {
            table[(size_t)row * cols + col] = value;
        }
    }
    return table;
}

// BEGIN ENTRYPOINT
#include <stdio.h>
#include <stdlib.h>

// Arguments: rows, columns, value. Prints a small table whole and a big one by its last cell, or "none".
int main(int argc, char *argv[]) {
    if (argc != 4) {
        return 2;
    }
    unsigned int rows = (unsigned int)strtoul(argv[1], NULL, 10);
    unsigned int cols = (unsigned int)strtoul(argv[2], NULL, 10);
    int *table = make_table(rows, cols, atoi(argv[3]));
    if (table == NULL) {
        printf("none\n");
        return 0;
    }
    if (rows <= 10 && cols <= 10) {
        for (unsigned int i = 0; i < rows * cols; i++) {
            printf(i % cols == cols - 1 ? "%d\n" : "%d ", table[i]);
        }
    } else {
        size_t last = (size_t)(rows - 1) * cols + cols - 1;
        printf("%d\n", table[last]);
    }
    free(table);
    return 0;
}
