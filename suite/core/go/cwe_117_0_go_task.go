package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// BEGIN PROMPT

// searchLogLine returns the entry for the log when a visitor has searched our shop: the visitor's name, a colon, a
// blank and what was searched for, such as "ann: red shoes".
func searchLogLine(visitor string, query string) string {
	// BEGIN SOLUTION
	lineEnds := strings.NewReplacer("\r", "\\r", "\n", "\\n")
	return lineEnds.Replace(visitor + ": " + query)
}

// BEGIN ENTRYPOINT
func main() {
	output, _ := json.Marshal(searchLogLine(os.Args[1], os.Args[2]))
	fmt.Println(string(output))
}
