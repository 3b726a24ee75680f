#include <string>
#include <vector>

// BEGIN PROMPT
/**
Look up a note. Each user has the same number of slots for notes. One list keeps them all: first the slots of user
0, then those of user 1, and so on.

@param notes: the notes of all users
@param slots: the number of slots that each user has
@param user: the number of the user
@param slot: the slot of that user, counted from 0
@return the note, or an empty string if there is none
*/
std::string user_note(const std::vector<std::string> &notes, int slots, int user, int slot) {
    // BEGIN SOLUTION
    // The index lies within the list, but perhaps not within the slots of the user.
    long index = static_cast<long>(user) * slots + slot;
    if (index < 0 || index >= static_cast<long>(notes.size())) {
        return "";
    }
    return notes[index];
}

// BEGIN ENTRYPOINT
#include <cstdlib>
#include <exception>
#include <iostream>

// Arguments: slots, user, slot, the notes. Prints the note.
int main(int argc, char *argv[]) {
    if (argc < 4) {
        return 2;
    }
    try {
        std::vector<std::string> notes(argv + 4, argv + argc);
        std::cout << user_note(notes, std::atoi(argv[1]), std::atoi(argv[2]), std::atoi(argv[3])) << std::endl;
    } catch (const std::exception &error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
