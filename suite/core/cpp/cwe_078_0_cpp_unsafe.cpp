#include <cstdio>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

// BEGIN PROMPT
/**
Give the checksum of a file. The program `cksum` works it out: it prints the checksum, a space, the size and the
path.

@param path: the path of the file
@return the checksum, or an empty string if there is none
*/
std::string file_checksum(const std::string &path) {
    // BEGIN SOLUTION
    // The shell reads the path, too.
    FILE *program = popen(("cksum '" + path + "'").c_str(), "r");
    if (program == nullptr) {
        return "";
    }
    std::string output;
    char buffer[256];
    while (fgets(buffer, sizeof(buffer), program) != nullptr) {
        output += buffer;
    }
    pclose(program);
    std::string::size_type space = output.find(' ');
    return space == std::string::npos ? "" : output.substr(0, space);
}

// BEGIN ENTRYPOINT
#include <exception>
#include <iostream>

// Argument: the path. Prints the checksum.
int main(int argc, char *argv[]) {
    if (argc != 2) {
        return 2;
    }
    try {
        std::cout << file_checksum(argv[1]) << std::endl;
    } catch (const std::exception &error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
