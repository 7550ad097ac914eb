package rooms_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "ringline.io/ringline/"
)

// order lists the packages of the module. Each imports only packages that are listed before it.
func order() []string {
	return []string{
		"events/jsonobject",
		"events",

		"schemas",
		"schemas/check",
		"schemas/gen",

		"worker/call",
		"worker/gate",
		"worker/health",
		"worker/meter",
		"worker/meter/metertest",
		"worker/meter/reference",
		"worker/clock",
		"worker/stall",
		"worker/quota",
		"worker/broker",
		"worker/streams",
		"worker",
		"worker/ask",
		"worker/storage",
		"worker/store",
		"worker/coordinator",
		"worker/edge/devices",
		"worker/presence",
		"worker/edge/token",
		"worker/edge/session",
		"worker/edge/edgetest",
		"timeouts",

		"clients/js",
		"clients/js/demo",
		"clients/js/histories",

		"internal/wire",
		"internal/natstest",
		"internal/prose",
		"internal/reference",
		"internal/rooms",
		"internal/device",
		"internal/bench",

		"cmd/internal/cli",
		"cmd/internal/settings",
		"cmd/internal/natsconn",
		"cmd/internal/embedded",
		"cmd/internal/serve",
		"cmd/internal/dev",
		"cmd/internal/operate",
		"cmd/internal/caller",
		"cmd/internal/measure",
		"cmd/ringline",

		"examples/event-log",
	}
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	places := order()
	var folders []string // so that imports between top-level folders point one way too
	for _, p := range places {
		folder, _, _ := strings.Cut(p, "/")
		if i := slices.Index(folders, folder); i >= 0 && i < len(folders)-1 {
			t.Errorf("%s is not next to the other packages of %s", p, folder)
		} else if i < 0 {
			folders = append(folders, folder)
		}
	}
	for from, to := range imports(t) {
		at := slices.Index(places, from)
		if at < 0 {
			t.Errorf("%s is not in the order of packages: add it", from)
		}
		for _, p := range to {
			if i := slices.Index(places, p); i < 0 || i >= at {
				t.Errorf("%s → %s: the import points back", from, p)
			}
		}
	}
}

// imports lists the imports between packages of this module, without those of test files. It requires that no file
// imports the module tests.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(file)
		}
		if path.Ext(file) != ".go" {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		from := filepath.ToSlash(rel)
		for _, to := range importsOf(t, file) {
			if to == "tests" || strings.HasPrefix(to, "tests/") {
				t.Errorf("%s imports %s: the product imports no test", file, to)
			}
			if !strings.HasSuffix(file, "_test.go") && !slices.Contains(all[from], to) {
				all[from] = append(all[from], to)
			}
		}
		if _, found := all[from]; !found && !strings.HasSuffix(file, "_test.go") {
			all[from] = nil
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Fatalf("only %d packages found", len(all))
	}
	return all
}

// skip leaves out other modules, and folders that the go command ignores.
func skip(dir string) error {
	name := filepath.Base(dir)
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	switch {
	case dir == root:
		return nil
	case err == nil, name == "testdata", name == "node_modules", strings.HasPrefix(name, "."), strings.HasPrefix(name, "_"):
		return filepath.SkipDir
	}
	return nil
}

// importsOf lists the packages of this repository that a file imports, without the name of the module.
func importsOf(t *testing.T, file string) (list []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Imports {
		p, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if p, ok := strings.CutPrefix(p, module); ok {
			list = append(list, p)
		}
	}
	return list
}
