package main

import (
	"fmt"
	"os"
)

// BEGIN PROMPT

// saveToken writes the token with which our program logs in for its user to a new file in the user's home folder.
func saveToken(path string, token string) error {
	// BEGIN SOLUTION
	return os.WriteFile(path, []byte(token), 0o600)
}

// BEGIN ENTRYPOINT
func main() {
	if err := saveToken(os.Args[1], os.Args[2]); err != nil {
		fmt.Println("error")
		os.Exit(1)
	}
	fmt.Println("done")
}
