// Command reference writes docs/reference.md. The description of messages comes from the schemas. The permissions and
// notifications come from running the decisions, so that the page always matches the code. The text between them is
// in page.md. go generate runs it in the folder of package schemas.
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed page.md
var page string

func main() {
	if err := run(filepath.Join("..", "docs", "reference.md")); err != nil {
		panic(err)
	}
}

func run(path string) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"fields": fields, "common": commonFields, "own": ownFields, "takesService": takesService, "words": words, "title": title, "about": about, "verbs": verbs, "events": eventNames, "kinds": kinds,
		"number": number, "subjects": subjects, "mayDo": mayDo, "invitations": invitations, "further": further,
		"notifications": notificationTable, "ends": endsTable, "silent": silentTable, "example": example,
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, nil); err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
