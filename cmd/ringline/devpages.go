package main

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

	"ringline.io/ringline/clients/js"
	"ringline.io/ringline/clients/js/demo"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

// devPages is what dev serves that no edge does: a page to try it, the client, and tokens for anybody who asks on this
// machine.
type devPages struct {
	app      string
	audience string
	sessions late
	secret   atomic.Pointer[events.TokenKey] // nil until it is known
}

const (
	devSecretName = "dev-secret" // in the data folder, so that a browser's token outlives a restart
	devTokenFor   = time.Hour
)

func newDevPages(s settings) *devPages { return &devPages{app: s.App, audience: s.Edge.Audience} }

func (d *devPages) routes() []route {
	return append(sessionRoutes(&d.sessions),
		route{"GET /{$}", static("text/html; charset=utf-8", demo.Page)},
		route{"GET /ringline.js", static("text/javascript; charset=utf-8", js.Script)},
		route{"GET /dev/token", http.HandlerFunc(d.token)})
}

// keep reads the secret that tokens are signed with from the data folder, or makes one.
func (d *devPages) keep(dir string) error {
	path := filepath.Join(dir, devSecretName)
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
		return fmt.Errorf("data folder: %s holds no secret of ours (%w); delete it", path, err)
	}
	d.secret.Store(&key)
	return nil
}

func (d *devPages) key() *events.TokenKey { return d.secret.Load() }

// token gives a token to whoever asks on this machine, in no other page's name.
func (d *devPages) token(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	status, body := d.mint(onThisMachine(r), query.Get("user_id"), query.Get("user_name"))
	if status != http.StatusOK {
		http.Error(w, body, status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, body) // where that fails, who asked has gone
}

// mint gives the answer with a token, or why there is none.
func (d *devPages) mint(here bool, userID, userName string) (status int, body string) {
	now := time.Now().Truncate(time.Second)
	c := token.Claims{App: d.app, UserID: userID, UserName: userName, IssuedAt: now, Expires: now.Add(devTokenFor)}
	switch bad := events.CheckName("user_id", userID); {
	case !here:
		return http.StatusForbidden, "tokens without a password are for this machine only"
	case bad != nil:
		return http.StatusBadRequest, bad.Message
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

// onThisMachine says whether the request comes from this machine and names it: a page of another site that has its name
// point here would name that site.
func onThisMachine(r *http.Request) bool {
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

// isLoopback says whether host, which may have a port, is a name of this machine.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

func static(contentType string, content []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(content) // where that fails, who asked has gone
	})
}
