package session

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"ringline.io/ringline/worker/meter"
)

// pageOrigin is the origin of the page that connects.
type pageOrigin struct {
	origin string // empty outside a browser
	own    bool   // the page comes from the host that it connects to, or from this machine where that is allowed
}

// originKey is the context key of a pageOrigin.
type originKey struct{}

// originOf reads the origin of a page. With loopback, a page of this machine counts as the edge's own.
func originOf(r *http.Request, loopback bool) pageOrigin {
	origin := strings.ToLower(r.Header.Get("Origin"))
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return pageOrigin{origin: origin}
	}
	return pageOrigin{origin, strings.EqualFold(u.Host, r.Host) || loopback && IsLoopback(u.Host) && IsLoopback(r.Host)}
}

// IsLoopback reports whether host, with or without a port, is a name of this machine. A check of Host keeps out pages
// whose own DNS name points at this machine (DNS rebinding).
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

func withOrigin(r *http.Request, o pageOrigin) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), originKey{}, o))
}

// mayAsk reports whether a page of that origin may send requests at all. The app is known only with the token.
func (e *Edge) mayAsk(o pageOrigin) bool {
	return o.origin == "" || o.own || slices.Contains(e.Origins, o.origin) || e.Apps.KnowsOrigin(o.origin)
}

// refuseOrigin counts and reports a page that may not connect.
func (e *Edge) refuseOrigin(origin string) {
	e.count.Refused(meter.RefusedOrigin)
	if e.OriginRefused != nil {
		e.OriginRefused(origin)
	}
}

// share lets the page read the response.
func share(h http.Header, o pageOrigin) {
	if o.origin == "" {
		return
	}
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", o.origin)
	h.Set("Access-Control-Allow-Headers", "Content-Type")
}
