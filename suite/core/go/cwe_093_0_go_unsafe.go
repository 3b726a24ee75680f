package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func mailText(to string, subject string, body string) string {
	// A line end in the subject begins another header.
	return fmt.Sprintf("To: %s\r\nSubject: %s\r\n\r\n%s", to, subject, body)
}

func main() {
	output, _ := json.Marshal(mailText(os.Args[1], os.Args[2], os.Args[3]))
	fmt.Println(string(output))
}
