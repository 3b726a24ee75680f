package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func searchLogLine(visitor string, query string) string {
	// A line end in the query begins another entry.
	return fmt.Sprintf("%s: %s", visitor, query)
}

func main() {
	output, _ := json.Marshal(searchLogLine(os.Args[1], os.Args[2]))
	fmt.Println(string(output))
}
