#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
Add up the amounts of a budget such as "rent=700;food=250": names with an amount, separated by semicolons.

@param budget: the text of the budget
@return the sum of the amounts, or -1 if the text is no budget
*/
int sum_amounts(const char *budget) {
    // BEGIN SOLUTION
    int sum = 0;
    while (*budget != '\0') {
        size_t length = strcspn(budget, ";");
        const char *equals = memchr(budget, '=', length);
        if (equals == NULL) {
            return -1;
        }
        sum += atoi(equals + 1);
        budget += length;
        if (*budget == ';') {
            budget++;
        }
    }
    return sum;
}

// BEGIN ENTRYPOINT
#include <stdio.h>

// Argument: the budget. Prints the sum.
int main(int argc, char *argv[]) {
    if (argc != 2) {
        return 2;
    }
    printf("%d\n", sum_amounts(argv[1]));
    return 0;
}
