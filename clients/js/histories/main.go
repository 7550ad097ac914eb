// Command histories writes the files that test the reducer of the JavaScript client. They contain random histories of
// calls, made by Decide and Notify of package call. For each device they have the frames that it receives, disturbed or
// not, and the callbacks that it must make at each step. The README next to the files has the rules.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

//go:generate go run . ../testdata/histories

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "histories:", err)
		panic(err)
	}
}

// run writes the files into dir and removes files that it no longer writes.
func run(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, th := range themes() {
		cases, _ := th.make()
		data, err := encode(cases)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, th.name+".json"), data, 0o644); err != nil {
			return err
		}
	}
	return removeOthers(dir)
}

func removeOthers(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	for _, path := range files {
		written := slices.ContainsFunc(themes(), func(th theme) bool { return th.name+".json" == filepath.Base(path) })
		if written {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
