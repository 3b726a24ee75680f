package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// BEGIN PROMPT

// readMessage reads one message that another machine sends. Its first line tells how many bytes the text has, then
// comes the text, such as "5\nhello". It returns the text, and an error when the first line is not a number or the
// text ends too early.
func readMessage(in io.Reader) (string, error) {
	// BEGIN SOLUTION
	reader := bufio.NewReader(in)
	line, err := reader.ReadString('\n')
	if err != nil {
		return "", err
	}
	size, err := strconv.ParseUint(strings.TrimSpace(line), 10, 62)
	if err != nil {
		return "", err
	}
	// The text grows as it comes in, whatever the first line has said.
	var text strings.Builder
	if _, err := io.CopyN(&text, reader, int64(size)); err != nil {
		return "", err
	}
	return text.String(), nil
}

// BEGIN ENTRYPOINT
func main() {
	text, err := readMessage(os.Stdin)
	if err != nil {
		fmt.Println("error")
		os.Exit(1)
	}
	output, _ := json.Marshal(text)
	fmt.Println(string(output))
}
