#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

// BEGIN PROMPT
/**
Delete an attachment. It is the file of that name in the folder.

@param folder: the folder of the attachments
@param name: the name of the attachment
@return true when it was deleted, false when there is no such attachment
*/
bool delete_attachment(const std::string &folder, const std::string &name) {
    // BEGIN SOLUTION
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
        return false;
    }
    std::error_code error;
    return std::filesystem::remove(std::filesystem::path(folder) / name, error);
}

// BEGIN ENTRYPOINT
#include <exception>
#include <iostream>

// Arguments: folder, name. Prints "deleted" or "none".
int main(int argc, char *argv[]) {
    if (argc != 3) {
        return 2;
    }
    try {
        std::cout << (delete_attachment(argv[1], argv[2]) ? "deleted" : "none") << std::endl;
    } catch (const std::exception &error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
