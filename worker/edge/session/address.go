package session

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// addresses counts connections by client address.
type addresses struct {
	most int

	mu    sync.Mutex
	count map[string]int
}

func newAddresses(most int) *addresses { return &addresses{most: most, count: map[string]int{}} }

// take takes a slot for a connection, if one is free.
func (a *addresses) take(address string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count[address] >= a.most {
		return false
	}
	a.count[address]++
	return true
}

func (a *addresses) give(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count[address]--; a.count[address] <= 0 {
		delete(a.count, address)
	}
}

// addressOf returns the address that a request is counted for. Behind a proxy it is the last address in the proxy's
// header, because a client can forge the earlier ones. For IPv6 it is the network, because one customer owns all of it.
func addressOf(r *http.Request, header string) string {
	text := r.RemoteAddr
	if values := r.Header.Values(header); header != "" && len(values) > 0 {
		list := strings.Split(values[len(values)-1], ",")
		text = strings.TrimSpace(list[len(list)-1])
	}
	if host, _, err := net.SplitHostPort(text); err == nil { // some proxies add the port
		text = host
	}
	ip, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return text
	}
	if ip = ip.Unmap(); ip.Is6() {
		if network, err := ip.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}
