package embedded

import (
	"fmt"

	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
)

// serverLog copies the log of the NATS server, from level warn up, to our log. A fatal error also goes to the channel
// fatal, because an embedded server does not exit the process.
type serverLog struct {
	log   zerolog.Logger
	fatal chan error
}

func newServerLog(log zerolog.Logger) *serverLog {
	return &serverLog{log: log, fatal: make(chan error, 1)}
}

func (l *serverLog) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Errorf(format, v...):
	default:
		l.Errorf(format, v...)
	}
}

func (l *serverLog) Errorf(format string, v ...any) { l.log.Error().Msg(serverText(format, v)) }

func (l *serverLog) Warnf(format string, v ...any) { l.log.Warn().Msg(serverText(format, v)) }

func (l *serverLog) Noticef(string, ...any) {}

func (l *serverLog) Debugf(string, ...any) {}

func (l *serverLog) Tracef(string, ...any) {}

// serverText removes quoted parts: the server quotes input that it cannot parse, which may be a password or a payload.
func serverText(format string, v []any) string {
	return events.WithoutQuotes(fmt.Sprintf(format, v...))
}
