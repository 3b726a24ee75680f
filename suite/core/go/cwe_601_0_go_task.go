package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// BEGIN PROMPT

// targetAfterLogin tells where the browser goes after the log-in. next is what the log-in page got as the
// parameter "next": a page of our site such as "/basket?step=2", or "" when there was none. Without one it is "/".
func targetAfterLogin(next string) string {
	// BEGIN SOLUTION
	target, err := url.Parse(next)
	if err != nil || target.Scheme != "" || target.Host != "" {
		return "/"
	}
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\t\r\n") {
		return "/"
	}
	return next
}

// BEGIN ENTRYPOINT
func main() {
	output, _ := json.Marshal(targetAfterLogin(os.Args[1]))
	fmt.Println(string(output))
}
