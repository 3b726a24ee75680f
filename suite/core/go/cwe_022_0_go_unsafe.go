package main

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func unpackTheme(archive string, folder string) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer reader.Close()
	for _, entry := range reader.File {
		// The name of the entry may climb out of the folder.
		target := filepath.Join(folder, entry.Name)
		if entry.FileInfo().IsDir() {
			os.MkdirAll(target, 0o755)
			continue
		}
		os.MkdirAll(filepath.Dir(target), 0o755)
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

func main() {
	if err := unpackTheme(os.Args[1], os.Args[2]); err != nil {
		fmt.Println("error")
		os.Exit(1)
	}
	fmt.Println("done")
}
