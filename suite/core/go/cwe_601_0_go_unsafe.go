package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func targetAfterLogin(next string) string {
	if next == "" {
		return "/"
	}
	// It may be a page of any other site.
	return next
}

func main() {
	output, _ := json.Marshal(targetAfterLogin(os.Args[1]))
	fmt.Println(string(output))
}
