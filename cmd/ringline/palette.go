package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/mattn/go-isatty"
)

// palette colors text for a terminal. Elsewhere it does nothing.
type palette struct{ on bool }

func newPalette(w io.Writer) palette {
	return palette{on: os.Getenv("NO_COLOR") == "" && onTerminal(w)}
}

func (p palette) paint(code, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p palette) bold(s string) string   { return p.paint("1", s) }
func (p palette) dim(s string) string    { return p.paint("2", s) }
func (p palette) red(s string) string    { return p.paint("31", s) }
func (p palette) green(s string) string  { return p.paint("32", s) }
func (p palette) yellow(s string) string { return p.paint("33", s) }
func (p palette) cyan(s string) string   { return p.paint("36", s) }

// plain shows an id or a name from outside. It quotes text with control characters, which a terminal might execute,
// with spaces at an end, or with quotes.
func plain(s string) string {
	odd := strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar })
	if s == "" || odd || strings.TrimSpace(s) != s || strings.ContainsAny(s, `"`) {
		return strconv.Quote(s)
	}
	return s
}

func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}
