package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// BEGIN PROMPT

// previewText returns the beginning of a text that a user has uploaded as a gzip file: its first size bytes, or
// all of it when it is shorter.
func previewText(path string, size int) (string, error) {
	// BEGIN SOLUTION
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(unpacked, int64(size)))
	return string(text), err
}

// BEGIN ENTRYPOINT
func main() {
	text, err := previewText(os.Args[1], 20)
	if err != nil {
		fmt.Println("error")
		os.Exit(1)
	}
	output, _ := json.Marshal(text)
	fmt.Println(string(output))
}
