package session

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// pageOrigin is the origin of the page that connects.
type pageOrigin struct {
	origin   string // empty outside a browser
	sameHost bool   // the page comes from the host that it connects to
}

// originKey is the context key of a pageOrigin.
type originKey struct{}

func originOf(r *http.Request) pageOrigin {
	origin := strings.ToLower(r.Header.Get("Origin"))
	u, err := url.Parse(origin)
	return pageOrigin{origin, err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)}
}

func withOrigin(r *http.Request, o pageOrigin) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), originKey{}, o))
}

// mayAsk reports whether a page of that origin may send requests at all. The app is known only with the token.
func (e *Edge) mayAsk(o pageOrigin) bool {
	return o.origin == "" || o.sameHost || slices.Contains(e.Origins, o.origin) || e.Apps.KnowsOrigin(o.origin)
}

// share lets the page read the response.
func share(h http.Header, o pageOrigin) {
	if o.origin == "" || o.sameHost {
		return
	}
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", o.origin)
	h.Set("Access-Control-Allow-Headers", "Content-Type")
}
