package dev

import (
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
)

// refusedOrigins logs each page that may not connect, once, with the command that allows it.
type refusedOrigins struct {
	app, natsURL string
	log          zerolog.Logger

	mu     sync.Mutex
	logged map[string]bool
}

// maxLogged limits the log, because any page can cause an entry.
const maxLogged = 100

// report logs a refused origin. The app has these origins so far; the command sets all of them.
func (o *refusedOrigins) report(origin string, origins []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.logged[origin] || len(o.logged) >= maxLogged {
		return
	}
	if o.logged == nil {
		o.logged = map[string]bool{}
	}
	o.logged[origin] = true
	if events.CheckOrigin("origin", origin) != nil {
		o.log.Warn().Msg("a page whose origin can't be allowed tried to connect: it is sandboxed, or opened from a file")
		return
	}
	o.log.Warn().Str("origin", origin).Msg("a page may not connect; this allows it: " + o.command(append(slices.Clip(origins), origin)))
}

func (o *refusedOrigins) command(origins []string) string {
	return cli.Invocation() + " app set " + o.app + " --origin " + strings.Join(origins, " --origin ") + urlFlag(o.natsURL)
}
