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
    // A link that leads nowhere does not exist for exists(), and opening it creates what it leads to.
    if (std::filesystem::exists(path)) {
        return false;
    }
    std::ofstream file(path);
    file << text;
    return file.good();
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
