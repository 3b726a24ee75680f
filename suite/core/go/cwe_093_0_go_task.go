package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// BEGIN PROMPT

// mailText returns a mail as it is handed to the mail server: a line with "To: " and the address, a line with
// "Subject: " and the subject, an empty line, and the body. Lines end in "\r\n". The texts come from a form on our
// page.
func mailText(to string, subject string, body string) string {
	// BEGIN SOLUTION
	oneLine := strings.NewReplacer("\r", " ", "\n", " ")
	return "To: " + oneLine.Replace(to) + "\r\nSubject: " + oneLine.Replace(subject) + "\r\n\r\n" + body
}

// BEGIN ENTRYPOINT
func main() {
	output, _ := json.Marshal(mailText(os.Args[1], os.Args[2], os.Args[3]))
	fmt.Println(string(output))
}
