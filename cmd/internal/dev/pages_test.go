package dev

import (
	"context"
	"encoding/json"
	"fmt"
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
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/dev/token?key="+d.urlKey()+"&"+query, nil)
	r.RemoteAddr = "127.0.0.1:40000"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	d.access(http.HandlerFunc(d.token)).ServeHTTP(w, r)
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
		"another machine's":  {"user_id=ann", origin("http://192.0.2.1:5173"), http.StatusForbidden, "this machine"},
		"nginx' defaults":    {"user_id=ceo", withoutKey, http.StatusForbidden, "key: missing or wrong; it is in the URL that `ringline dev` prints"},
		"a wrong key":        {"user_id=ann", func(r *http.Request) { r.URL.RawQuery = "user_id=ann&key=x" }, http.StatusForbidden, "key: "},
		"a front-end server": {"user_id=ann", origin("http://localhost:5173"), http.StatusOK, "token"},
		"one with TLS":       {"user_id=ann", origin("https://[::1]:5173"), http.StatusOK, "token"},
		"a front-end server and rebound DNS": {"user_id=ann", func(r *http.Request) {
			origin("http://localhost:5173")(r)
			r.Host = "evil.example:8080"
		}, http.StatusForbidden, "this machine"},
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

// withoutKey is a request of another machine that nginx has forwarded with its default settings.
func withoutKey(r *http.Request) { r.URL.RawQuery = "user_id=ceo" }

// A page of a front-end server may read the answer, also the reason of a refusal. Another page may not.
func TestDevTokenForAnotherPort(t *testing.T) {
	const vite = "http://localhost:5173"
	d := siteOn(t, t.TempDir())
	for _, c := range []struct {
		change func(*http.Request)
		allow  string
	}{
		{origin(vite), vite},
		{func(r *http.Request) { origin(vite)(r); withoutKey(r) }, vite},
		{origin("http://evil.example"), ""},
		{nil, ""},
	} {
		h := askFor(t, d, "user_id=ann", c.change).Header()
		if h.Get("Access-Control-Allow-Origin") != c.allow || c.allow != "" && h.Get("Vary") != "Origin" {
			t.Errorf("headers %v, want %q", h, c.allow)
		}
	}
}

// The key of the URL survives a restart with the same data folder, and no other dev has it.
func TestURLKey(t *testing.T) {
	dir := t.TempDir()
	one, again, other := siteOn(t, dir), siteOn(t, dir), siteOn(t, t.TempDir())
	if len(one.urlKey()) != 32 || one.urlKey() != again.urlKey() || one.urlKey() == other.urlKey() {
		t.Errorf("%s, after a restart %s, of another %s", one.urlKey(), again.urlKey(), other.urlKey())
	}
	if strings.Contains(one.key().Secret, one.urlKey()) {
		t.Error("the secret contains it")
	}
	if w := askFor(t, newSite(settings.Settings{}, zerolog.Nop()), "user_id=ann", nil); w.Code != http.StatusServiceUnavailable {
		t.Errorf("before it has one: %d", w.Code)
	}
}

// Each refused page is logged once, with the command that allows it.
func TestRefusedOrigins(t *testing.T) {
	var out strings.Builder
	o := refusedOrigins{app: "demo", natsURL: "nats://127.0.0.1:4333", log: zerolog.New(&out)}
	for range 3 {
		o.report("http://box.local:5173", []string{"https://app.example"})
		o.report("null", nil)
	}
	for i := range 2 * maxLogged {
		o.report(fmt.Sprint("http://many.example:", 1000+i), nil)
	}
	text := out.String()
	if n := strings.Count(text, "\n"); n != maxLogged {
		t.Errorf("%d entries", n)
	}
	want := " app set demo --origin https://app.example --origin http://box.local:5173 --nats-url nats://127.0.0.1:4333"
	if strings.Count(text, want) != 1 || strings.Count(text, "sandboxed") != 1 {
		t.Errorf("%.800s", text)
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
