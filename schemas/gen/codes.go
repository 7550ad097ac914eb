package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"strconv"
	"strings"

	"ringline.io/ringline/events"
)

// codeMeanings reads the meaning of each error code from the comment next to its constant, which is the only place
// that documents it.
func codeMeanings(dir string) (map[events.Code]string, error) {
	file, err := parser.ParseFile(gotoken.NewFileSet(), dir+"/errors.go", nil, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("read the error codes: %w", err)
	}
	meanings := map[events.Code]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok && spec.Comment != nil {
			if code, err := strconv.Unquote(literal.Value); err == nil {
				meanings[events.Code(code)] = strings.TrimSpace(spec.Comment.Text())
			}
		}
		return true
	})
	for _, c := range events.Codes() {
		if meanings[c] == "" {
			return nil, fmt.Errorf("read the error codes: %s has no comment next to its constant", c)
		}
	}
	return meanings, nil
}
