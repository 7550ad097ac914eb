package dev

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/token"
)

func noApps(context.Context, string) (events.AppSettings, bool, error) {
	return events.AppSettings{}, false, nil
}

func siteOn(t *testing.T, dir string) *site {
	t.Helper()
	d := newSite(settings.Settings{App: "demo", Edge: settings.Edge{Audience: token.DefaultAudience}}, zerolog.Nop())
	if err := d.keep(dir); err != nil {
		t.Fatal(err)
	}
	return d
}

// askFor requests a token as a browser on this machine does. change modifies the request.
func askFor(t *testing.T, d *site, query string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/dev/token?"+query, nil)
	r.RemoteAddr = "127.0.0.1:40000"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	d.token(w, r)
	return w
}

func TestDevToken(t *testing.T) {
	dir := t.TempDir()
	d := siteOn(t, dir)
	w := askFor(t, d, url.Values{"user_id": {"ann"}, "user_name": {"Ann Ä"}}.Encode(), nil)
	var got struct {
		App   string `json:"app"`
		Token string `json:"token"`
		Exp   int64  `json:"exp"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || got.App != "demo" {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("headers %v", h)
	}
	again := siteOn(t, dir) // after a restart
	c, err := token.New(noApps, "").WithKey("demo", *again.key()).Verify(t.Context(), got.Token, time.Now())
	if err != nil || c.UserID != "ann" || c.UserName != "Ann Ä" || c.Device != "" || c.Expires.Unix() != got.Exp {
		t.Errorf("%+v, %v", c, err)
	}
	if left := time.Until(c.Expires); left < 59*time.Minute || left > time.Hour {
		t.Errorf("it is for %v", left)
	}
	other := siteOn(t, t.TempDir())
	if _, err := token.New(noApps, "").WithKey("demo", *other.key()).Verify(t.Context(), got.Token, time.Now()); err == nil {
		t.Error("another dev takes it")
	}
	if info, err := os.Stat(filepath.Join(dir, secretName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret: %v, %v", info.Mode(), err)
	}
}

func TestDevTokenRefuses(t *testing.T) {
	d := siteOn(t, t.TempDir())
	long := strings.Repeat("x", 257)
	for name, c := range map[string]struct {
		query  string
		change func(*http.Request)
		status int
		says   string
	}{
		"no user":            {"", nil, http.StatusBadRequest, "user_id"},
		"too long a name":    {"user_id=ann&user_name=" + long, nil, http.StatusBadRequest, "user_name: must be at most 256 bytes, got 257"},
		"another machine":    {"user_id=ann", func(r *http.Request) { r.RemoteAddr = "192.0.2.1:40000" }, http.StatusForbidden, "this machine"},
		"rebound DNS":        {"user_id=ann", func(r *http.Request) { r.Host = "evil.example:8080" }, http.StatusForbidden, "this machine"},
		"localhost.evil":     {"user_id=ann", func(r *http.Request) { r.Host = "localhost.evil.example" }, http.StatusForbidden, "this machine"},
		"another page":       {"user_id=ann", origin("http://evil.example"), http.StatusForbidden, "this machine"},
		"another port":       {"user_id=ann", origin("http://127.0.0.1:9999"), http.StatusForbidden, "this machine"},
		"a sandboxed page":   {"user_id=ann", origin("null"), http.StatusForbidden, "this machine"},
		"a link elsewhere":   {"user_id=ann", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden, "this machine"},
		"a proxy in front":   {"user_id=ann", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") }, http.StatusForbidden, "this machine"},
		"its own page":       {"user_id=ann", origin("http://127.0.0.1:8080"), http.StatusOK, "token"},
		"localhost":          {"user_id=ann", func(r *http.Request) { r.Host = "localhost:8080" }, http.StatusOK, "token"},
		"loopback over IPv6": {"user_id=ann", func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:40000", "[::1]:8080" }, http.StatusOK, "token"},
	} {
		if w := askFor(t, d, c.query, c.change); w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %s, want %d with %q", name, w.Code, w.Body, c.status, c.says)
		}
	}
}

func origin(o string) func(*http.Request) { return func(r *http.Request) { r.Header.Set("Origin", o) } }

func TestInvalidDevSecret(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, secretName), []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := newSite(settings.Settings{}, zerolog.Nop()).keep(dir)
	if err == nil || !strings.Contains(err.Error(), secretName) || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("%v", err)
	}
}
