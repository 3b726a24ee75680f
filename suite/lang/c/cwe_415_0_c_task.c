#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
Give an array another length. Samples that are added at the end are 0.

@param samples: address of the array, which is a block from malloc and may move; the caller frees it in the end
@param count: address of the number of samples in it, kept up to date
@param new_count: the number of samples it shall have
@return 0, or -1 if it cannot be done; the array is then as it was
*/
int resize_samples(int **samples, int *count, int new_count) {
    // BEGIN SOLUTION
    if (new_count < 0) {
        return -1;
    }
    if (new_count == 0) {
        free(*samples);
        *samples = NULL;
        *count = 0;
        return 0;
    }
    int *moved = realloc(*samples, (size_t)new_count * sizeof(int));
    if (moved == NULL) {
        return -1;
    }
    for (int i = *count; i < new_count; i++) {
        moved[i] = 0;
    }
    *samples = moved;
    *count = new_count;
    return 0;
}

// BEGIN ENTRYPOINT
#include <stdio.h>
#include <stdlib.h>

// Arguments: one length after the other, for an array that starts as 1 2 3. Prints the samples, or "failed".
int main(int argc, char *argv[]) {
    int count = 3;
    int *samples = malloc(count * sizeof(int));
    if (samples == NULL) {
        return 2;
    }
    for (int i = 0; i < count; i++) {
        samples[i] = i + 1;
    }
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        if (resize_samples(&samples, &count, atoi(argv[i])) != 0) {
            failed = 1;
        }
    }
    if (failed) {
        printf("failed");
    } else {
        for (int i = 0; i < count; i++) {
            printf("%d ", samples[i]);
        }
    }
    printf("\n");
    free(samples);
    return 0;
}
