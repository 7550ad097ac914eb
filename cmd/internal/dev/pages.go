package dev

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
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

// site serves what only dev has: a page to try Ringline, the client library and, for requests from this machine,
// tokens and the event stream.
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
		serve.Route{Pattern: "GET /dev/token", Handler: http.HandlerFunc(d.token)},
		serve.Route{Pattern: "GET /dev/events", Handler: &d.events})
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

// token issues a token to any request from this machine, unless a page of another site sent it.
func (d *site) token(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	status, body := d.mint(onThisMachine(r), query.Get("user_id"), query.Get("user_name"))
	if status != http.StatusOK {
		http.Error(w, body, status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, body) // fails only if the client has disconnected
}

// mint returns the answer with a token, or the reason for none.
func (d *site) mint(here bool, userID, userName string) (status int, body string) {
	now := time.Now().Truncate(time.Second)
	c := token.Claims{App: d.app, UserID: userID, UserName: userName, IssuedAt: now, Expires: now.Add(tokenTTL)}
	switch bad := events.CheckName("user_id", userID); {
	case !here:
		return http.StatusForbidden, "tokens without a password are only for this machine"
	case bad != nil:
		return http.StatusBadRequest, events.Message(bad)
	case len(userName) > events.MaxUserName:
		return http.StatusBadRequest, fmt.Sprintf("user_name: must be at most %d bytes, got %d", events.MaxUserName, len(userName))
	case d.key() == nil:
		return http.StatusServiceUnavailable, "not ready yet, see /readyz"
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

// onThisMachine reports whether the request comes from this machine and names it in Host. Without the check of Host,
// another site could point its DNS name at this machine (DNS rebinding).
func onThisMachine(r *http.Request) bool {
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via"} {
		if r.Header.Get(header) != "" { // a local proxy may forward a request of another machine
			return false
		}
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() || !isLoopback(r.Host) {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return r.Header.Get("Sec-Fetch-Site") != "cross-site"
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// isLoopback reports whether host, with or without a port, is a name of this machine.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
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
