package prose_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"ringline.io/ringline/internal/prose"
)

const root = "../.."

// TestProse checks every tracked text file.
func TestProse(t *testing.T) {
	t.Parallel()
	c, checked := prose.New(), 0
	for _, path := range files(t) {
		if prose.Skips(path) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if os.IsNotExist(err) { // deleted, but not yet committed
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(data) {
			continue
		}
		checked++
		for _, f := range c.Find(string(data)) {
			t.Errorf("%s:%d: %q; better: %s", path, f.Line, f.Word, f.Better)
		}
	}
	if checked < 100 {
		t.Errorf("only %d files were checked", checked)
	}
}

// files returns the tracked files, or all files outside of a git checkout.
func files(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z").Output()
	if list := strings.Split(strings.Trim(string(out), "\x00"), "\x00"); err == nil && len(list) > 1 {
		return list
	}
	var list []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") && d.Name() != ".ci" {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			rel, _ := filepath.Rel(root, path)
			list = append(list, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestFind(t *testing.T) {
	t.Parallel()
	c := prose.New()
	for text, want := range map[string][]string{
		"the caller hears this, then they answer": nil,
		"http.NoBody and `json:\"beside\"`":       nil,
		"Whom he\ncalled, Nobody knows":           {"1 Whom", "1 he", "2 Nobody"},
		"a message that is put back and In Hand":  {"1 put back", "1 In Hand"},
		"The stream was made anew; !anew":         {"1 made anew"},
		"ann is told of it":                       {"1 is told"},
	} {
		var got []string
		for _, f := range c.Find(text) {
			got = append(got, fmt.Sprint(f.Line, " ", f.Word))
			if f.Better == "" {
				t.Errorf("%q has no better word", f.Word)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSkips(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"LICENSE": true, "clients/js/LICENSE": true, "clients/js/dist/ringline.js": true, "internal/prose/words.go": true,
		"events/call.go": false, "internal/prosecution/x.go": false, "docs/LICENSES.md": false,
	} {
		if got := prose.Skips(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}
