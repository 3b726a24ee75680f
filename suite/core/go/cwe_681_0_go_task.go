package main

import (
	"fmt"
	"os"
	"strconv"
)

// BEGIN PROMPT

// portNumber returns the port number that a line of the settings holds, such as "8080", and an error when the text
// is not a number.
func portNumber(text string) (uint16, error) {
	// BEGIN SOLUTION
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, err
	}
	return uint16(number), nil
}

// BEGIN ENTRYPOINT
func main() {
	port, err := portNumber(os.Args[1])
	if err != nil {
		fmt.Println("error")
		os.Exit(1)
	}
	fmt.Println(port)
}
