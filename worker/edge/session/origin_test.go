package session

import (
	"net/http"
	"testing"
)

func TestOriginOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, origin, host string
		want               pageOrigin
	}{
		{"no page", "", "edge.example", pageOrigin{}},
		{"the same host", "https://edge.example", "edge.example", pageOrigin{"https://edge.example", true}},
		{"with a port", "http://localhost:8083", "localhost:8083", pageOrigin{"http://localhost:8083", true}},
		{"another port", "http://localhost:3000", "localhost:8083", pageOrigin{"http://localhost:3000", false}},
		{"another host", "https://app.example", "edge.example", pageOrigin{"https://app.example", false}},
		{"upper case", "HTTPS://Edge.Example", "eDGE.example", pageOrigin{"https://edge.example", true}},
		{"a host that begins alike", "https://edge.example.evil", "edge.example", pageOrigin{"https://edge.example.evil", false}},
		{"null", "null", "edge.example", pageOrigin{"null", false}},
		{"null, to no host", "null", "", pageOrigin{"null", false}},
		{"a user in it", "https://edge.example@evil.example", "edge.example", pageOrigin{"https://edge.example@evil.example", false}},
		{"no URL", "https://%zz", "edge.example", pageOrigin{"https://%zz", false}},
	} {
		r := &http.Request{Host: test.host, Header: http.Header{}}
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		if got := originOf(r, false); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

// With loopback, a page of this machine may connect from any port, but only to a name of this machine. Another host name
// would be one that its owner has pointed here.
func TestLoopbackOrigins(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, origin, host string
		own                bool
	}{
		{"a front-end server", "http://localhost:5173", "127.0.0.1:8080", true},
		{"with TLS", "https://localhost:5173", "localhost:8080", true},
		{"IPv6", "http://[::1]:5173", "localhost:8080", true},
		{"all of 127.0.0.0/8", "http://127.1.2.3:5173", "[::1]:8080", true},
		{"a rebound name", "http://localhost:5173", "evil.example:8080", false},
		{"another page", "https://evil.example", "127.0.0.1:8080", false},
		{"a name that begins alike", "http://localhost.evil.example", "127.0.0.1:8080", false},
		{"another machine", "http://192.0.2.1:5173", "127.0.0.1:8080", false},
		{"a sandboxed page", "null", "127.0.0.1:8080", false},
		{"a user in it", "http://localhost@evil.example", "127.0.0.1:8080", false},
	} {
		r := &http.Request{Host: test.host, Header: http.Header{"Origin": {test.origin}}}
		if got := originOf(r, true); got != (pageOrigin{test.origin, test.own}) {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}
