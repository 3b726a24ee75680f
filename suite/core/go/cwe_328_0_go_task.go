package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
)

// BEGIN PROMPT

// contractDigest returns the hash of a contract as hex text. Both parties compare it on the phone, and so know
// that they sign the same text.
func contractDigest(contract []byte) string {
	// BEGIN SOLUTION
	sum := sha256.Sum256(contract)
	return hex.EncodeToString(sum[:])
}

// BEGIN ENTRYPOINT
func main() {
	contract, err := os.ReadFile(os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	output, _ := json.Marshal(contractDigest(contract))
	fmt.Println(string(output))
}
