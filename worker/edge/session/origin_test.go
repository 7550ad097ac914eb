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
		if got := originOf(r); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}
