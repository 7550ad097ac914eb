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
	paths, err := fs.Glob(files, "*/v1.json")
	deeper, err2 := fs.Glob(files, "*/*/v1.json")
	if err != nil || err2 != nil {
		return nil // only a bad pattern fails
	}
	paths = append(paths, deeper...)
	slices.Sort(paths)
	return paths
}

// ForSubject gives the path of the schema for a message on this subject, "" where there is none. event is the header
// Ringline-Event of a transition, or the member event of a notification; for others it does not matter.
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
		name = "call/" + event
	case t[2] == "user" && len(t) == 4:
		name = "notification/" + event
	case t[2] == "answer" && (len(t) == 4 || len(t) == 5):
		name = "answer"
	case t[2] == "api" && len(t) == 4:
		name = "request/" + t[3]
	case (t[2] == "timer" || t[2] == "due") && len(t) == 5:
		name = "deadline"
	}
	path := name + "/v1.json"
	if f, err := files.Open(path); err != nil || f.Close() != nil {
		return ""
	}
	return path
}
