package rooms_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestFunctionsReturnError fails if a function or a function type returns *events.Error, or a type that contains it. A nil one is
// not nil as an error, so that `var err error = f()` is wrong. Fields and parameters may have that type.
func TestFunctionsReturnError(t *testing.T) {
	t.Parallel()
	read := 0
	for _, room := range []string{"events", "schemas", "worker", "timeouts"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
				return err
			}
			read++
			if found := returned(t, file, nil); len(found) > 0 {
				t.Errorf("%s returns events.Error, want error", strings.Join(found, ", "))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 100 {
		t.Errorf("only %d files read", read)
	}
	const planted = "package events; func A() (n int, err *Error); type B func() *events.Error; type C interface{ D() []*Error }; func E() Error;" +
		"func F() (map[string]*events.Error, list[*Error]); func G(*Error) error; func H() func(*Error) jsontext.Error"
	if found := returned(t, "x.go", planted); len(found) != 6 {
		t.Errorf("found %q in: %s", found, planted)
	}
}

// returned lists the places in a file where a function type has a result that contains events.Error.
func returned(t *testing.T, name string, src any) (list []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for n := range ast.Preorder(file) {
		f, ok := n.(*ast.FuncType)
		if !ok || f.Results == nil {
			continue
		}
		for _, r := range f.Results.List {
			if contains(r.Type, file.Name.Name) {
				list = append(list, files.Position(r.Pos()).String())
			}
		}
	}
	return list
}

// contains reports whether a type in a package contains events.Error. It skips function types in it, which have their own results.
func contains(typ ast.Expr, in string) (found bool) {
	ast.Inspect(typ, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncType:
			return false
		case *ast.SelectorExpr:
			found = found || types.ExprString(n) == "events.Error"
			return false
		case *ast.Ident:
			found = found || n.Name == "Error" && in == "events"
		}
		return true
	})
	return found
}
