package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func personFilter(text string) string {
	// A star finds everybody, and a bracket adds a condition.
	return fmt.Sprintf("(|(uid=%s)(mail=%s))", text, text)
}

func main() {
	output, _ := json.Marshal(personFilter(os.Args[1]))
	fmt.Println(string(output))
}
