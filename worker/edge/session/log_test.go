package session_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
)

// logbook keeps a log in memory.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// The log contains no token and nothing that users say to each other, whatever succeeds or fails.
func TestNothingPrivateIsLogged(t *testing.T) {
	t.Parallel()
	const secret = "said in private"
	w := newWorld(t)
	a := w.app(t)
	var log logbook
	e := w.start(t, func(c *session.Config) {
		c.Log, c.Limits.MessageSize = zerolog.New(&log).Level(zerolog.TraceLevel), 4096
	})
	good, bad := a.token("ann"), a.token("eve")[:200]+"AAAA"
	for _, dial := range transports() {
		ann := a.open(e, "ann", dial, "")
		for _, data := range []string{
			`{"call_id":"c1","call_type":0,"callees":[{"user_id":"bob"}],"custom_data":"` + secret + `"}`,
			`{"custom_data":"` + secret + `"}`, `{"` + secret + `":1}`, `["` + secret + `"]`,
		} {
			for _, method := range []string{"invite", "cancel", "get", "line", "nonsense"} {
				receive(t, "an answer", ann.Call(method, data))
			}
		}
		receive(t, "a reply", ann.Refresh(bad))
		receive(t, "the end", ann.Code())
		for _, c := range []edgetest.Client{
			{Token: bad},
			{Token: good, Data: `["` + secret + `"]`},
			{Token: good, Data: `{"device":"` + secret + `\u0000"}`},
			{Token: good, Data: `{"x":"` + strings.Repeat(secret, 1000) + `"}`},
		} {
			receive(t, "the end", dial(t, e.url, c, "").Code())
		}
		malformed := a.open(e, "ann", dial, "")
		_ = malformed.wire.send([]byte(`{"id":7,"rpc":{"method":"invite","data":"` + secret)) // the client is closed for it
		receive(t, "the end", malformed.Code())
		other := a.open(e, "ann", dial, "")
		_ = other.wire.send([]byte(`{"id":7,"publish":{"channel":"c","data":"` + secret + `"}}`)) // the client is closed for it
		other.closed(t, 3501)
	}
	for _, body := range []string{`{"node":"n","session":"s","data":"` + secret + `"}`, secret} {
		if got := post(t, e.url+session.PathEmulation, body); got < http.StatusBadRequest {
			t.Errorf("%s: %d", body, got)
		}
	}
	ann := a.open(e, "ann", dialWebsocket, "")
	for _, body := range []string{
		secret, `{"call":"` + secret + `"}`, `{"call":{"seq":"` + secret + `"}}`, `{"call":{"created_at":"` + secret + `"}}`,
		`{"call":{"callees":[{"at":"` + secret + `"}]}}`, `["` + secret + `"]`,
	} {
		a.notify("ann", []byte(body))
	}
	a.nothingMore("ann", ann)
	text := log.String()
	for what, private := range map[string]string{
		"custom_data": secret, "a token": good[len(good)-40:], "claims": good[40:80], "a bad token": bad[40:80],
	} {
		if i := strings.Index(text, private); i >= 0 {
			t.Errorf("%s is in the log: %s", what, text[max(0, i-300):min(len(text), i+100)])
		}
	}
	for _, logged := range []string{"client refused", "malformed notification"} {
		if !strings.Contains(text, logged) {
			t.Errorf("%q is not in the log", logged)
		}
	}
}

func post(t *testing.T, url, body string) (status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := browser(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// A session survives messages that are no notifications.
func TestMalformedNotificationIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.app(t)
	ann := a.open(w.start(t), "ann", dialWebsocket, "")
	for _, body := range []string{"", "x", "{}", `{"call":null}`, `[]`, `{"call":{}}`} {
		a.notify("ann", []byte(body))
	}
	a.ring("c1", "ann")
	a.cancel("c1", "ann")
	for { // a JSON object with a call is relayed, whatever else it contains
		var n events.Notification
		if ann.next(&n); n.CallID == "c1" {
			return
		}
	}
}
