package main

import (
	"fmt"
	"os"
)

func saveToken(path string, token string) error {
	// Every user of the machine can read it.
	return os.WriteFile(path, []byte(token), 0644)
}

func main() {
	if err := saveToken(os.Args[1], os.Args[2]); err != nil {
		fmt.Println("error")
		os.Exit(1)
	}
	fmt.Println("done")
}
