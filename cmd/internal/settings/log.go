package settings

import (
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/cli"
)

// newLogger writes text to a terminal and JSON elsewhere.
func newLogger(w io.Writer, level zerolog.Level) zerolog.Logger {
	if cli.IsTerminal(w) {
		w = zerolog.ConsoleWriter{Out: w, NoColor: os.Getenv("NO_COLOR") != "", TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}
