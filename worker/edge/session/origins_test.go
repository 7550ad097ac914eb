package session_test

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
)

// The origins in the tests.
const (
	ofEdge  = "https://edge.example"
	ofApp   = "https://app.example"
	ofOther = "https://other.example" // of another app
	foreign = "https://foreign.example"
)

// A page can open a session if its origin is one of the edge, of the token's app, or of the same host. Other pages
// cannot.
func TestOrigins(t *testing.T) {
	t.Parallel()
	const denied = 3507
	w := newWorld(t)
	a := w.app(t, ofApp)
	w.app(t, ofOther)
	e := w.start(t, func(c *session.Config) { c.Origins = []string{ofEdge} })
	for transport, dial := range transports() {
		for _, from := range []page{"", page(e.url), ofEdge, ofApp} {
			a.open(e, "ann", dial, from).works()
		}
		for from, code := range map[page]int{
			ofOther: denied, foreign: http.StatusForbidden, "null": http.StatusForbidden, "https://app.example.evil": http.StatusForbidden,
		} {
			t.Logf("%s from %s", path.Base(transport), from)
			dial(t, e.url, edgetest.Client{Token: a.token("ann")}, from).closed(t, code)
		}
	}
}

// In `ringline dev` a page of this machine may connect from any port, over each transport. A page of another machine may
// not, and is reported.
func TestPagesOfThisMachine(t *testing.T) {
	t.Parallel()
	const vite = "http://localhost:5173"
	w := newWorld(t)
	a := w.app(t)
	refused := make(chan string, room)
	e := w.start(t, func(c *session.Config) { c.Loopback, c.OriginRefused = true, func(origin string) { refused <- origin } })
	for _, dial := range transports() {
		a.open(e, "ann", dial, vite).works()
		dial(t, e.url, edgetest.Client{Token: a.token("ann")}, foreign).closed(t, http.StatusForbidden)
		if got, _ := receive(t, "a report", refused); got != foreign {
			t.Errorf("%s is reported", got)
		}
	}
	if got := request(t, http.MethodOptions, e.url+session.PathEmulation, vite).header.Get("Access-Control-Allow-Origin"); got != vite {
		t.Errorf("Access-Control-Allow-Origin is %q", got)
	}
}

// answered is a response without its body.
type answered struct {
	status int
	header http.Header
}

// request sends a request as a page of this origin does.
func request(t *testing.T, method, url, origin string) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	resp, err := browser(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return answered{resp.StatusCode, resp.Header}
}

// A preflight request of an allowed page gets the CORS headers. A page that is not allowed gets none, on any path.
func TestPreflight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, ofApp)
	e := w.start(t)
	for _, p := range session.Paths() {
		for _, method := range []string{http.MethodOptions, http.MethodPost, http.MethodGet} {
			if got := request(t, method, e.url+p, foreign); got.status != http.StatusForbidden || got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s from elsewhere: %d %v", method, p, got.status, got.header)
			}
		}
	}
	for _, p := range []string{session.PathHTTPStream, session.PathSSE, session.PathEmulation} {
		got := request(t, http.MethodOptions, e.url+p, ofApp)
		for header, want := range map[string]string{
			"Access-Control-Allow-Origin": ofApp, "Access-Control-Allow-Headers": "Content-Type",
			"Access-Control-Allow-Methods": "POST, OPTIONS", "Access-Control-Allow-Credentials": "", "Vary": "Origin",
		} {
			if h := got.header.Get(header); h != want || got.status != http.StatusNoContent {
				t.Errorf("OPTIONS %s: %d, %s is %q, want %q", p, got.status, header, h, want)
			}
		}
		if got := request(t, http.MethodPost, e.url+p, ofApp).header.Get("Access-Control-Allow-Origin"); got != ofApp {
			t.Errorf("POST %s: Access-Control-Allow-Origin is %q", p, got)
		}
		if got := request(t, http.MethodOptions, e.url+p, "").header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("OPTIONS %s by a page of no app: Access-Control-Allow-Origin is %q", p, got)
		}
	}
}

// A token in a URL is rejected, because proxies log URLs.
func TestTokensAreNotInURLs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	e := w.start(t)
	connect := "?cf_connect=" + url.QueryEscape(string(connectFrame(edgetest.Client{Token: a.token("ann")})))
	for _, p := range []string{session.PathSSE, session.PathHTTPStream, session.PathEmulation} {
		got := request(t, http.MethodGet, e.url+p+connect, "")
		if got.status != http.StatusMethodNotAllowed || !strings.Contains(got.header.Get("Allow"), http.MethodPost) {
			t.Errorf("GET %s: %d %v", p, got.status, got.header)
		}
	}
	if n := e.Sessions(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}
