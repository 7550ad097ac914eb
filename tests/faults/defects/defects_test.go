package defects_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringline.io/ringline/tests/faults/defects"
)

const root = "../../.."

// TestEveryPatchFits checks that each patch fits the current source, and that the result is valid Go.
func TestEveryPatchFits(t *testing.T) {
	t.Parallel()
	for _, name := range defects.All() {
		p, err := defects.Read(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.HasSuffix(p.Says, ".") {
			t.Errorf("%s: %q is no sentence", name, p.Says)
		}
		for _, f := range p.Files {
			source, err := os.ReadFile(filepath.Join(root, f.Path))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			changed, err := f.Apply(string(source))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if _, err := parser.ParseFile(token.NewFileSet(), f.Path, changed, parser.SkipObjectResolution); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	f := defects.File{Path: "x.go", Hunks: []defects.Hunk{{Old: "b\n", New: "c\nc\n"}}}
	for name, c := range map[string]struct {
		source, want string
		fails        bool
	}{
		"in the middle":                {"a\nb\nd\n", "a\nc\nc\nd\n", false},
		"the first line":               {"b\nd\n", "c\nc\nd\n", false},
		"gone":                         {"a\nd\n", "", true},
		"twice":                        {"b\nb\n", "", true},
		"only the end of another line": {"ab\n", "", true},
	} {
		got, err := f.Apply(c.source)
		if (err != nil) != c.fails || got != c.want {
			t.Errorf("%s: %q, %v; want %q, an error: %v", name, got, err, c.want, c.fails)
		}
	}
}

func TestOverlayNamesAnUnknownDefect(t *testing.T) {
	t.Parallel()
	_, err := defects.Overlay(root, t.TempDir(), "no-such-defect")
	if err == nil || !strings.Contains(err.Error(), "no-such-defect") || !strings.Contains(err.Error(), "no-memory") {
		t.Errorf("%v: it must name what there is", err)
	}
}
