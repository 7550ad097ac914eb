package schemas

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed answer app call command deadline line notification part reply request session view asyncapi.yaml
var files embed.FS

// Base is what stands before a path in the $id of its schema.
const Base = "https://ringline.io/schemas/"

// FS gives every schema and asyncapi.yaml, by their paths.
func FS() fs.FS { return files }

// Read gives the text of one file.
func Read(path string) ([]byte, error) {
	b, err := files.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("schemas: %w", err)
	}
	return b, nil
}

// Paths lists every schema.
func Paths() []string {
	paths, err := fs.Glob(files, "*/v?.json")
	deeper, err2 := fs.Glob(files, "*/*/v?.json")
	if err != nil || err2 != nil {
		return nil // only a bad pattern fails
	}
	paths = append(paths, deeper...)
	slices.Sort(paths)
	return paths
}

// PathOf is where the schema of this name is: <name>/v1.json, and that of a later version <name>/v2.json, whose name is <name>/v2.
func PathOf(name string) string {
	if strings.HasSuffix(name, "/v2") {
		return name + ".json"
	}
	return name + "/v1.json"
}

// NameOf is the name of the schema at this path.
func NameOf(path string) string {
	return strings.TrimSuffix(strings.TrimSuffix(path, ".json"), "/v1")
}

// ForSubject gives the path of the schema for a message on this subject, "" where there is none. event is the header
// Ringline-Event of a transition, or the member event of a notification; for others it does not matter. Of a transition it is
// the schema of stored format 2: one of format 1 names its own in dataschema.
func ForSubject(subject, event string) string {
	t := strings.Split(subject, ".")
	if len(t) < 3 || t[0] != "ringline" {
		return ""
	}
	var name string
	switch {
	case t[2] == "cmd" && len(t) == 5:
		name = "command/" + t[4]
	case t[2] == "call" && len(t) == 4, t[2] == "events" && len(t) == 3:
		name = "call/" + event + "/v2"
	case t[2] == "user" && len(t) == 4:
		name = "notification/" + event
	case t[2] == "answer" && (len(t) == 4 || len(t) == 5):
		name = "answer"
	case t[2] == "api" && len(t) == 4:
		name = "request/" + t[3]
	case (t[2] == "timer" || t[2] == "due") && len(t) == 5:
		name = "deadline"
	}
	path := PathOf(name)
	if f, err := files.Open(path); err != nil || f.Close() != nil {
		return ""
	}
	return path
}
