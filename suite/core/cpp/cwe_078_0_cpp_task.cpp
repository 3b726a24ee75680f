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
    int ends[2];
    if (pipe(ends) != 0) {
        return "";
    }
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("cksum", "cksum", "--", path.c_str(), static_cast<char *>(nullptr));
        _exit(127);
    }
    close(ends[1]);
    std::string output;
    char buffer[256];
    ssize_t count;
    while ((count = read(ends[0], buffer, sizeof(buffer))) > 0) {
        output.append(buffer, count);
    }
    close(ends[0]);
    if (child > 0) {
        waitpid(child, nullptr, 0);
    }
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
