package cli

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/mattn/go-isatty"
)

// Palette colors text for a terminal. Elsewhere it does nothing.
type Palette struct{ On bool }

// NewPalette returns the palette for output to w. The variable NO_COLOR turns colors off.
func NewPalette(w io.Writer) Palette {
	return Palette{On: os.Getenv("NO_COLOR") == "" && IsTerminal(w)}
}

func (p Palette) paint(code, s string) string {
	if !p.On || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p Palette) Bold(s string) string   { return p.paint("1", s) }
func (p Palette) Dim(s string) string    { return p.paint("2", s) }
func (p Palette) Red(s string) string    { return p.paint("31", s) }
func (p Palette) Green(s string) string  { return p.paint("32", s) }
func (p Palette) Yellow(s string) string { return p.paint("33", s) }
func (p Palette) Cyan(s string) string   { return p.paint("36", s) }

// Plain shows an id or a name from outside. It quotes text with control characters, which a terminal might execute,
// with spaces at an end, or with quotes.
func Plain(s string) string {
	odd := strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar })
	if s == "" || odd || strings.TrimSpace(s) != s || strings.ContainsAny(s, `"`) {
		return strconv.Quote(s)
	}
	return s
}

// IsTerminal reports whether a person reads what is written to w.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}
