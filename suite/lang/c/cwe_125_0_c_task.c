#include <stdlib.h>
#include <string.h>

// BEGIN PROMPT
/**
A message is a row of entries. An entry is one byte with its tag, one byte with the length of its value, and then
the bytes of the value. Add up the value bytes of the first entry that has the given tag.

@param message: the bytes of the message
@param size: the number of bytes in message
@param tag: the tag to look for
@return the sum, or -1 if the message has no such entry
*/
int tlv_sum(const unsigned char *message, int size, int tag) {
    // BEGIN SOLUTION
    int at = 0;
    while (size - at >= 2) {
        int length = message[at + 1];
        if (length > size - at - 2) {
            return -1;
        }
        if (message[at] == tag) {
            int sum = 0;
            for (int i = 0; i < length; i++) {
                sum += message[at + 2 + i];
            }
            return sum;
        }
        at += 2 + length;
    }
    return -1;
}

// BEGIN ENTRYPOINT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Arguments: message in hexadecimal, tag. Prints the result.
int main(int argc, char *argv[]) {
    if (argc != 3) {
        return 2;
    }
    int size = (int)(strlen(argv[1]) / 2);
    unsigned char *message = malloc(size);
    if (message == NULL) {
        return 2;
    }
    for (int i = 0; i < size; i++) {
        char pair[3] = {argv[1][2 * i], argv[1][2 * i + 1], '\0'};
        message[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    printf("%d\n", tlv_sum(message, size, atoi(argv[2])));
    free(message);
    return 0;
}
