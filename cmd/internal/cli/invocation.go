package cli

import (
	"os"
	"path/filepath"
	"strings"
)

// Invocation is the command that starts this program again. `go run` builds the binary into a temporary folder, so that
// os.Args[0] does not work.
func Invocation() string {
	exe, err := os.Executable()
	if err == nil && fromGoRun(exe) {
		return "go run ./cmd/ringline"
	}
	return ShellWord(os.Args[0])
}

func fromGoRun(exe string) bool {
	for name := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(exe)), "/") {
		if digits, ok := strings.CutPrefix(name, "go-build"); ok && strings.Trim(digits, "0123456789") == "" {
			return true
		}
	}
	return false
}

// ShellWord quotes s unless a POSIX shell reads it as one word.
func ShellWord(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:@%+=,", r)
	})
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
