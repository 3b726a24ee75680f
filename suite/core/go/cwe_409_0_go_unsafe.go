package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

func previewText(path string, size int) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return "", err
	}
	// A small file may unpack to more than the memory holds.
	text, err := io.ReadAll(unpacked)
	if err != nil {
		return "", err
	}
	if len(text) > size {
		text = text[:size]
	}
	return string(text), nil
}

func main() {
	text, err := previewText(os.Args[1], 20)
	if err != nil {
		fmt.Println("error")
		os.Exit(1)
	}
	output, _ := json.Marshal(text)
	fmt.Println(string(output))
}
