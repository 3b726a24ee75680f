package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// BEGIN PROMPT

// unpackTheme unpacks a theme for our game, which players share as a zip archive. Each file of the archive is
// written below the folder under the name that it has in the archive, such as "sounds/door.wav"; sub-folders are
// made as needed.
func unpackTheme(archive string, folder string) error {
	// BEGIN SOLUTION
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer reader.Close()
	for _, entry := range reader.File {
		if !filepath.IsLocal(entry.Name) {
			return errors.New("the archive has a file with a bad name")
		}
		target := filepath.Join(folder, entry.Name)
		if entry.FileInfo().IsDir() {
			if err := os.MkdirAll(target, 0o755); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		source, err := entry.Open()
		if err != nil {
			return err
		}
		data, err := io.ReadAll(source)
		source.Close()
		if err != nil {
			return err
		}
		if err := os.WriteFile(target, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// BEGIN ENTRYPOINT
func main() {
	if err := unpackTheme(os.Args[1], os.Args[2]); err != nil {
		fmt.Println("error")
		os.Exit(1)
	}
	fmt.Println("done")
}
