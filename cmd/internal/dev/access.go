package dev

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/netip"
	"net/url"

	"ringline.io/ringline/worker/edge/session"
)

// access passes on the requests that come from this machine and have the key of dev. The key is in the URL that dev
// prints. A proxy can make a request of another machine look local, as nginx does by default, and it does not have the
// key. A page of this machine may send the request from any port.
func (d *site) access(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !onThisMachine(r) {
			http.Error(w, "only for pages and programs of this machine", http.StatusForbidden)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Vary", "Origin")
		}
		switch key := d.urlKey(); {
		case key == "":
			w.Header().Set("Retry-After", "1")
			http.Error(w, "not ready yet, see /readyz", http.StatusServiceUnavailable)
		case subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("key")), []byte(key)) != 1:
			http.Error(w, "key: missing or wrong; it is in the URL that `ringline dev` prints", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// urlKey is the key in the URL of the page. It is empty until dev has read its secret, from which it is derived. So it
// survives a restart with the same data folder.
func (d *site) urlKey() string {
	const digits = 32
	secret := d.key()
	if secret == nil {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(secret.Secret))
	_, _ = mac.Write([]byte("the URL of dev")) // never fails
	return hex.EncodeToString(mac.Sum(nil))[:digits]
}

// onThisMachine reports whether a request comes from this machine and names it in Host. Without the check of Host,
// another site could point its DNS name at this machine (DNS rebinding).
func onThisMachine(r *http.Request) bool {
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via"} {
		if r.Header.Get(header) != "" { // a local proxy may forward a request of another machine
			return false
		}
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() || !session.IsLoopback(r.Host) {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return r.Header.Get("Sec-Fetch-Site") != "cross-site"
	}
	u, err := url.Parse(origin)
	return err == nil && session.IsLoopback(u.Host)
}
