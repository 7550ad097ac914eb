// Command histories writes the files against which the JavaScript client's reducer is tested: random histories of
// calls, made by Decide and Notify of package call, what a device is sent of them, whole or disturbed, and the
// callbacks that it must give at each step. The rules stand in the README beside the files.
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

// run writes the files into dir, and removes what it does not write any more.
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
