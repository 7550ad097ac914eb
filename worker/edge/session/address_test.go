package session

import (
	"net/http"
	"testing"
)

func TestAddressOf(t *testing.T) {
	t.Parallel()
	const header = "X-Forwarded-For"
	for _, test := range []struct {
		name, remote, header string
		values               []string
		want                 string
	}{
		{"IPv4", "192.0.2.1:4711", "", nil, "192.0.2.1"},
		{"IPv4 without a port", "192.0.2.1", "", nil, "192.0.2.1"},
		{"IPv4 as IPv6", "[::ffff:192.0.2.1]:4711", "", nil, "192.0.2.1"},
		{"IPv6 is its network", "[2001:db8:1:2:3:4:5:6]:4711", "", nil, "2001:db8:1:2::/64"},
		{"IPv6 with a zone", "[fe80::1%eth0]:4711", "", nil, "fe80::/64"},
		{"no address", "@", "", nil, "@"},
		{"a header that is not configured", "192.0.2.1:4711", "", []string{"198.51.100.7"}, "192.0.2.1"},
		{"a header that is not there", "192.0.2.1:4711", header, nil, "192.0.2.1"},
		{"a proxy's", "192.0.2.1:4711", header, []string{"198.51.100.7"}, "198.51.100.7"},
		{"what the client made up comes before", "192.0.2.1:4711", header, []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		{"the same in two lines", "192.0.2.1:4711", header, []string{"203.0.113.9", "198.51.100.7"}, "198.51.100.7"},
		{"with a port", "192.0.2.1:4711", header, []string{"198.51.100.7:1234"}, "198.51.100.7"},
		{"IPv6 with a port", "192.0.2.1:4711", header, []string{"[2001:db8::1]:1234"}, "2001:db8::/64"},
		{"IPv6 in brackets", "192.0.2.1:4711", header, []string{"[2001:db8::1]"}, "2001:db8::/64"},
		{"IPv6 without brackets", "192.0.2.1:4711", header, []string{"2001:db8::1"}, "2001:db8::/64"},
		{"unknown", "192.0.2.1:4711", header, []string{"unknown"}, "unknown"},
	} {
		r := &http.Request{RemoteAddr: test.remote, Header: http.Header{header: test.values}}
		if got := addressOf(r, test.header); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	a := newAddresses(2)
	for i, want := range []bool{true, true, false, false} {
		if got := a.take("x"); got != want {
			t.Errorf("slot %d of an address: %v", i, got)
		}
	}
	if !a.take("y") {
		t.Error("another address has no slot")
	}
	a.give("x")
	if !a.take("x") || a.take("x") {
		t.Error("a freed slot is not free, or it is free twice")
	}
	for _, address := range []string{"x", "x", "y"} {
		a.give(address)
	}
	if len(a.count) != 0 {
		t.Errorf("kept for no connection: %v", a.count)
	}
}
