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

func readMessage(in io.Reader) (string, error) {
	reader := bufio.NewReader(in)
	line, err := reader.ReadString('\n')
	if err != nil {
		return "", err
	}
	size, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return "", err
	}
	// The sender says how much memory is set aside.
	text := make([]byte, size)
	if _, err := io.ReadFull(reader, text); err != nil {
		return "", err
	}
	return string(text), nil
}

func main() {
	text, err := readMessage(os.Stdin)
	if err != nil {
		fmt.Println("error")
		os.Exit(1)
	}
	output, _ := json.Marshal(text)
	fmt.Println(string(output))
}
