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

// Base is the prefix of the $id of every schema. The path of the schema follows it.
const Base = "https://ringline.io/schemas/"

// FS returns the file system with all schemas and asyncapi.yaml.
func FS() fs.FS { return files }

// Read returns the content of one file.
func Read(path string) ([]byte, error) {
	b, err := files.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("schemas: %w", err)
	}
	return b, nil
}

// Paths lists the paths of all schemas.
func Paths() []string {
	paths, err := fs.Glob(files, "*/v?.json")
	deeper, err2 := fs.Glob(files, "*/*/v?.json")
	if err != nil || err2 != nil {
		return nil // only a malformed pattern fails
	}
	paths = append(paths, deeper...)
	slices.Sort(paths)
	return paths
}

// PathOf returns the path of the schema with this name: <name>/v1.json. The name of a later version is <name>/v2 and
// its path is <name>/v2.json.
func PathOf(name string) string {
	if strings.HasSuffix(name, "/v2") {
		return name + ".json"
	}
	return name + "/v1.json"
}

// NameOf returns the name of the schema at this path.
func NameOf(path string) string {
	return strings.TrimSuffix(strings.TrimSuffix(path, ".json"), "/v1")
}

// ForSubject returns the path of the schema for a message on this subject, or "" if there is none. event is the
// Ringline-Event header of a transition or the event member of a notification; other messages do not need it. For a
// transition it returns the schema of stored format 2. A transition of format 1 names its own schema in dataschema.
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
	case (t[2] == "timer" || t[2] == "due") && (len(t) == 5 || len(t) == 6):
		name = "deadline"
	}
	path := PathOf(name)
	if f, err := files.Open(path); err != nil || f.Close() != nil {
		return ""
	}
	return path
}
