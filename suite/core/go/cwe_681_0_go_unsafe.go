package main

import (
	"fmt"
	"os"
	"strconv"
)

func portNumber(text string) (uint16, error) {
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0, err
	}
	// A larger number loses its upper bits: 65616 becomes 80.
	return uint16(number), nil
}

func main() {
	port, err := portNumber(os.Args[1])
	if err != nil {
		fmt.Println("error")
		os.Exit(1)
	}
	fmt.Println(port)
}
