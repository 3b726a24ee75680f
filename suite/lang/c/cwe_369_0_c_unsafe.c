#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
Work out the average rating of a product. The ratings are whole numbers, separated by commas. A customer who gave no
rating leaves nothing between the commas: the average of "4,,5,3" is 4.

@param ratings: the ratings
@return the average of the ratings that were given, rounded down
*/
int average_rating(const char *ratings) {
    // BEGIN SOLUTION
    int sum = 0;
    int count = 0;
    for (;;) {
        size_t length = strcspn(ratings, ",");
        if (length > 0) {
            sum += atoi(ratings);
            count++;
        }
        ratings += length;
        if (*ratings == '\0') {
            break;
        }
        ratings++;
    }
    // Nobody may have given a rating.
    return sum / count;
}

// BEGIN ENTRYPOINT
#include <stdio.h>

// Argument: the ratings. Prints their average.
int main(int argc, char *argv[]) {
    if (argc != 2) {
        return 2;
    }
    printf("%d\n", average_rating(argv[1]));
    return 0;
}
