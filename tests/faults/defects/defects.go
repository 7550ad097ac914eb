// Package defects plants known defects in a build. `make mutants` builds Ringline once with each of them and
// reports which check of the fault harness catches it. The source of the product does not change. A defect is
// a patch file in this directory, and the build replaces the files that it patches (`go build -overlay`).
//
// A patch file begins with a sentence that describes the defect. Then, for each source file, there is a line
// "--- <path>" and its hunks. A hunk is "@@" and lines that begin with " " (kept), "-" (removed) or "+"
// (added). The kept and removed lines must occur in the file exactly once. If the source changed so that they
// do not, the defect is an error until its patch fits again.
package defects

import (
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed *.patch
var patches embed.FS

const ext = ".patch"

// All lists the names of the defects, sorted.
func All() (names []string) {
	files, err := patches.ReadDir(".")
	if err != nil {
		return nil
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ext))
	}
	return names
}

// Patch is the change of one defect.
type Patch struct {
	Says  string // description of the defect
	Files []File
}

// File is the change of one source file.
type File struct {
	Path  string // from the root of the repository, with slashes
	Hunks []Hunk
}

// Hunk replaces lines with others.
type Hunk struct{ Old, New string }

// Read reads the patch of a defect.
func Read(name string) (Patch, error) {
	text, err := patches.ReadFile(name + ext)
	if err != nil {
		return Patch{}, fmt.Errorf("defects: there is no %q; there are: %s", name, strings.Join(All(), ", "))
	}
	p, err := parse(string(text))
	if err != nil {
		return p, fmt.Errorf("defects: %s%s: %w", name, ext, err)
	}
	return p, nil
}

func parse(text string) (p Patch, err error) {
	says, rest, found := strings.Cut(text, "\n--- ")
	p.Says = strings.Join(strings.Fields(says), " ")
	if !found || p.Says == "" {
		return p, fmt.Errorf("it must begin with a sentence and name a file")
	}
	for part := range strings.SplitSeq(rest, "\n--- ") {
		path, hunks, found := strings.Cut(part, "\n@@\n")
		if !found {
			return p, fmt.Errorf("%s: there is no hunk", path)
		}
		f := File{Path: strings.TrimSpace(path)}
		for h := range strings.SplitSeq(hunks, "\n@@\n") {
			hunk, err := parseHunk(h)
			if err != nil {
				return p, fmt.Errorf("%s: %w", f.Path, err)
			}
			f.Hunks = append(f.Hunks, hunk)
		}
		p.Files = append(p.Files, f)
	}
	return p, nil
}

func parseHunk(text string) (h Hunk, err error) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if line == "" {
			line = " " // an editor has trimmed the line
		}
		words := line[1:] + "\n"
		switch line[0] {
		case ' ':
			h.Old, h.New = h.Old+words, h.New+words
		case '-':
			h.Old += words
		case '+':
			h.New += words
		default:
			return h, fmt.Errorf("a line of a hunk must begin with \" \", \"-\" or \"+\": %q", line)
		}
	}
	if strings.TrimSpace(h.Old) == "" || h.Old == h.New {
		return h, fmt.Errorf("a hunk must replace lines by different lines")
	}
	return h, nil
}

// Apply returns the source with the hunks replaced.
func (f File) Apply(source string) (string, error) {
	source = "\n" + source // each line follows a line break
	for _, h := range f.Hunks {
		old := "\n" + h.Old
		at := strings.Index(source, old)
		if at < 0 || strings.Contains(source[at+1:], old) {
			return "", fmt.Errorf("%s: these lines must occur exactly once; the source has changed, update the patch:\n%s", f.Path, h.Old)
		}
		source = source[:at+1] + h.New + source[at+len(old):]
	}
	return source[1:], nil
}

// Overlay writes the changed files of the defects into dir, and returns the path of the file for `go build
// -overlay`. root is the root of the repository. Two defects that patch one file can be planted together if
// their hunks do not overlap.
func Overlay(root, dir string, names ...string) (string, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return "", fmt.Errorf("defects: %w", err)
	}
	changed := map[string]string{} // current source, by path
	for _, name := range names {
		p, err := Read(name)
		if err != nil {
			return "", err
		}
		for _, f := range p.Files {
			path := filepath.Join(root, filepath.FromSlash(f.Path))
			if changed[path], err = f.patched(path, changed[path]); err != nil {
				return "", fmt.Errorf("defects: %s: %w", name, err)
			}
		}
	}
	return write(dir, changed)
}

func (f File) patched(path, source string) (string, error) {
	if source == "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read the source to patch: %w", err)
		}
		source = string(text)
	}
	return f.Apply(source)
}

// write writes the changed files and the overlay file.
func write(dir string, changed map[string]string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("defects: %w", err)
	}
	overlay := struct {
		Replace map[string]string `json:"Replace"` //nolint:tagliatelle // as go build -overlay wants it
	}{map[string]string{}}
	for path, source := range changed {
		to := filepath.Join(dir, fmt.Sprintf("%d-%s", len(overlay.Replace), filepath.Base(path)))
		if err := os.WriteFile(to, []byte(source), 0o600); err != nil {
			return "", fmt.Errorf("defects: %w", err)
		}
		overlay.Replace[path] = to
	}
	list, err := json.Marshal(overlay)
	to := filepath.Join(dir, "overlay.json")
	if err == nil {
		err = os.WriteFile(to, list, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("defects: %w", err)
	}
	return to, nil
}
