package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// BEGIN PROMPT

// personFilter returns the LDAP search filter for one person of our directory: the entry whose attribute uid or
// whose attribute mail is the text that a user typed, such as (|(uid=ann)(mail=ann)).
func personFilter(text string) string {
	// BEGIN SOLUTION
	escaped := strings.NewReplacer(`\`, `\5c`, `*`, `\2a`, `(`, `\28`, `)`, `\29`, "\x00", `\00`).Replace(text)
	return "(|(uid=" + escaped + ")(mail=" + escaped + "))"
}

// BEGIN ENTRYPOINT
func main() {
	output, _ := json.Marshal(personFilter(os.Args[1]))
	fmt.Println(string(output))
}
