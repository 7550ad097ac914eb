package dev

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/clients/js"
	"ringline.io/ringline/clients/js/demo"
	"ringline.io/ringline/cmd/internal/serve"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// site serves what only dev has: a page to try Ringline, the client library and, for those who know its key, tokens and
// the event stream.
type site struct {
	app      string
	audience string
	sessions serve.LazyHandler
	events   eventFeed
	secret   atomic.Pointer[events.TokenKey] // nil until it has been read
}

const (
	secretName = "dev-secret" // in the data folder, so that a browser's token survives a restart
	tokenTTL   = time.Hour
)

func newSite(s settings.Settings, log zerolog.Logger) *site {
	return &site{
		app: s.App, audience: s.Edge.Audience,
		events: eventFeed{app: s.App, inboxPrefix: s.InboxPrefix, log: log},
	}
}

func (d *site) routes() []serve.Route {
	return append(serve.SessionRoutes(&d.sessions),
		serve.Route{Pattern: "GET /{$}", Handler: static("text/html; charset=utf-8", demo.Page)},
		serve.Route{Pattern: "GET /demo/{file}", Handler: uncached(http.StripPrefix("/demo/", http.FileServerFS(demo.Files)))},
		serve.Route{Pattern: "GET /ringline.js", Handler: static("text/javascript; charset=utf-8", js.Script)},
		serve.Route{Pattern: "GET /dev/token", Handler: d.access(http.HandlerFunc(d.token))},
		serve.Route{Pattern: "GET /dev/events", Handler: d.access(&d.events)})
}

// keep reads the signing secret of tokens from the data folder, or creates one.
func (d *site) keep(dir string) error {
	path := filepath.Join(dir, secretName)
	text, err := os.ReadFile(path)
	key := token.Generate("dev")
	switch {
	case err == nil:
		key.Secret = strings.TrimSpace(string(text))
	case errors.Is(err, os.ErrNotExist):
		err = os.WriteFile(path, []byte(key.Secret+"\n"), 0o600)
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if _, err := key.Parse(); err != nil {
		return fmt.Errorf("data folder: %s is not a valid secret (%w); delete it", path, err)
	}
	d.secret.Store(&key)
	return nil
}

func (d *site) key() *events.TokenKey { return d.secret.Load() }

// token issues a token to a request that access allows.
func (d *site) token(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	status, body := d.mint(query.Get("user_id"), query.Get("user_name"))
	if status != http.StatusOK {
		http.Error(w, body, status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, body) // fails only if the client has disconnected
}

// mint returns the answer with a token, or the reason for none.
func (d *site) mint(userID, userName string) (status int, body string) {
	now := time.Now().Truncate(time.Second)
	c := token.Claims{App: d.app, UserID: userID, UserName: userName, IssuedAt: now, Expires: now.Add(tokenTTL)}
	switch bad := events.CheckName("user_id", userID); {
	case bad != nil:
		return http.StatusBadRequest, events.Message(bad)
	case len(userName) > events.MaxUserName:
		return http.StatusBadRequest, fmt.Sprintf("user_name: must be at most %d bytes, got %d", events.MaxUserName, len(userName))
	}
	signing, err := token.Secret(*d.key())
	if err != nil {
		return http.StatusInternalServerError, err.Error()
	}
	text, err := token.Mint(signing, c, d.audience)
	if err != nil {
		return http.StatusBadRequest, err.Error()
	}
	answer, err := events.Encode(struct {
		App   string `json:"app"`
		Token string `json:"token"`
		Exp   int64  `json:"exp"`
	}{c.App, text, c.Expires.Unix()})
	if err != nil {
		return http.StatusInternalServerError, err.Error()
	}
	return http.StatusOK, string(answer)
}

func static(contentType string, content []byte) http.Handler {
	return uncached(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(content) // fails only if the client has disconnected
	}))
}

// uncached makes a browser revalidate each time: the next dev on this address may be another version.
func uncached(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		h.ServeHTTP(w, r)
	})
}
