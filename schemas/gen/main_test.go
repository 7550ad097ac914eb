package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFiles checks that the folder contains exactly the generated files.
func TestFiles(t *testing.T) {
	schemas, err := all("../../events")
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range schemas {
		want, err := text(name, schema)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", schemaPath(name)))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is not up to date (%v): run make generate", name, err)
		}
	}
	document, err := asyncapi()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../asyncapi.yaml")
	if err != nil || !strings.HasSuffix(string(got), "\n"+string(document)) {
		t.Errorf("asyncapi.yaml is not up to date (%v): run make generate", err)
	}
}

// TestRunRemoves checks that run removes files that are no longer generated.
func TestRunRemoves(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "events"), os.DirFS("../../events")); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "schemas")
	old := filepath.Join(dir, "command", "shout", "v1.json")
	if err := write(old, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the schema of a removed verb: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "command", "ring", "v1.json")); err != nil {
		t.Error(err)
	}
}

func TestYAML(t *testing.T) {
	got, err := yaml(obj{
		{"plain", "a.b"},
		{"quoted", []any{"a: b", "true", "", 1, nil, true, "3.0.0", "#x", "it's"}},
		{"text", "two\n\nlines"},
		{"nested", obj{{"list", []obj{{{"a", 1}, {"b", obj{{"c", "d"}}}}, {{"a", 2}}}}, {"empty", obj{}}, {"none", []string{}}}},
		{"a b", "key"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `plain: a.b
quoted:
  - "a: b"
  - "true"
  - ""
  - 1
  - null
  - true
  - "3.0.0"
  - "#x"
  - "it's"
text: |-
  two

  lines
nested:
  list:
    - a: 1
      b:
        c: d
    - a: 2
  empty: {}
  none: []
"a b": key
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
