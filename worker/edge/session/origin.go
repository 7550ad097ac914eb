package session

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// pageOrigin is where the page is from that connects.
type pageOrigin struct {
	origin   string // empty outside of browsers
	sameHost bool   // it is served from where it connects to
}

// originKey is where the context of a request has its pageOrigin.
type originKey struct{}

func originOf(r *http.Request) pageOrigin {
	origin := strings.ToLower(r.Header.Get("Origin"))
	u, err := url.Parse(origin)
	return pageOrigin{origin, err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)}
}

func withOrigin(r *http.Request, o pageOrigin) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), originKey{}, o))
}

// mayAsk says whether a page of that origin may ask at all. Which app it may speak for is known with the token.
func (e *Edge) mayAsk(o pageOrigin) bool {
	return o.origin == "" || o.sameHost || slices.Contains(e.Origins, o.origin) || e.Apps.KnowsOrigin(o.origin)
}

// share lets the page read the answer.
func share(h http.Header, o pageOrigin) {
	if o.origin == "" || o.sameHost {
		return
	}
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", o.origin)
	h.Set("Access-Control-Allow-Headers", "Content-Type")
}
