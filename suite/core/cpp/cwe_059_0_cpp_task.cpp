#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

// BEGIN PROMPT
/**
Create a file with the text of a report. When there is something with that name already, nothing is written.

@param path: the path of the new file
@param text: the text of the report
@return true when the file was created
*/
bool create_report(const std::string &path, const std::string &text) {
    // BEGIN SOLUTION
    // With O_EXCL, a link counts as something that is there, wherever it leads.
    int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (file < 0) {
        return false;
    }
    std::string::size_type written = 0;
    while (written < text.size()) {
        ssize_t count = write(file, text.data() + written, text.size() - written);
        if (count <= 0) {
            break;
        }
        written += count;
    }
    close(file);
    return written == text.size();
}

// BEGIN ENTRYPOINT
#include <exception>
#include <iostream>

// Arguments: path, text. Prints "created" or "kept".
int main(int argc, char *argv[]) {
    if (argc != 3) {
        return 2;
    }
    try {
        std::cout << (create_report(argv[1], argv[2]) ? "created" : "kept") << std::endl;
    } catch (const std::exception &error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
